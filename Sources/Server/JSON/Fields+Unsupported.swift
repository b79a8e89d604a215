extension Fields {
    /// Refuses options that would change an answer and that nothing here does, unless their value turns them off.
    ///
    /// - Parameter options: The options' names, each with the values at which it does nothing.
    /// - Throws: `Failure` 400 that names the option.
    func refuse(unlessOff options: [(name: String, off: ClosedRange<Double>)]) throws(Failure) {
        for (name, off) in options {
            guard let value = try number(name, in: -1e9...1e9), !off.contains(value) else { continue }
            throw unsupported(name)
        }
    }

    /// Refuses options that would change an answer and that nothing here does, where they are true.
    func refuse(unlessFalse names: [String]) throws(Failure) {
        for name in names where try bool(name) == true { throw unsupported(name) }
    }

    /// Refuses lists of what nothing here reads, unless they are empty.
    func refuse(unlessEmpty names: [String]) throws(Failure) {
        for name in names {
            guard let elements = try array(name), !elements.isEmpty else { continue }
            throw unsupported(name)
        }
    }

    private func unsupported(_ name: String) -> Failure {
        .unsupported("'\(path)\(name)' is not supported; leave it out.", parameter: path + name)
    }
}
