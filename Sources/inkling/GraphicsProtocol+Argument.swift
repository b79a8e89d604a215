public import ArgumentParser
public import Terminal

extension GraphicsProtocol: ExpressibleByArgument {}
