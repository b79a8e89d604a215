import ArgumentParser
import AssistantAPI
import FoundationEssentials
import Terminal

/// `inkling open`.
struct OpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Open the page in a browser: a canvas, and a chat beside it.",
        discussion: """
            The daemon then listens on this machine's own address (127.0.0.1 and ::1), for nobody but who comes with the \
            link that is made here. It is good for once, within a minute, and lets one browser in until the daemon ends.
            """)

    @Flag(name: .customLong("print"), help: "Only print the link.")
    var prints = false

    func run() async throws {
        let daemon = try Daemon()
        try await daemon.launcher.ensureRunning { StandardStreams.complain($0) }
        let link = try await daemon.client.openPage()
        StandardStreams.write(link.url + "\n", to: 1)
        guard !prints, hasDisplay(daemon.environment) else { return }
        if !Browser.open(link.url, environment: daemon.environment) {
            StandardStreams.complain("no browser could be started (xdg-open); open the link yourself")
        }
    }

    private func hasDisplay(_ environment: [String: String]) -> Bool {
        ["DISPLAY", "WAYLAND_DISPLAY"].contains { environment[$0]?.isEmpty == false }
    }
}
