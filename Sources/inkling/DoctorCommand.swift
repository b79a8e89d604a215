import ArgumentParser
import AssistantAPI
import FoundationEssentials
import Settings
import Terminal

/// `inkling doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Tell what this machine can run and how fast, and what is amiss.",
        discussion: """
            The default models are loaded and made to work for some seconds. What is said of other models is a guess from \
            what was measured: right within a factor of two or so. The exit code is 1 when something does not work.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let session = DoctorSession(isJSON: json, environment: environment)
        let (finding, settings) = LocalFindings.configuration(environment: environment)
        await session.tell(finding)
        if let (_, paths) = settings {
            await session.tell(LocalFindings.folders(paths))
            try await Interruption.cancelling { try await examine(session, paths, environment) }
        } else {
            await session.tell(
                DoctorFinding(
                    "daemon", .fail, "it cannot start with this configuration, so nothing was measured"))
        }
        try await session.end()
        if await session.hasFailed { throw ExitCode(1) }
    }

    private func examine(_ session: DoctorSession, _ paths: Paths, _ environment: [String: String])
        async throws
    {
        let client = DaemonClient(socket: paths.socket)
        let launcher = DaemonLauncher(client: client, log: paths.log, environment: environment)
        do {
            let wasRunning = (try? await client.health()) != nil
            try await launcher.ensureRunning { StandardStreams.complain($0) }
            let health = try await client.health()
            await session.tell(
                DoctorFinding(
                    "daemon", .ok,
                    "version \(health.version) \(wasRunning ? "runs" : "was started") as process \(health.pid), on "
                        + paths.socket))
            try await client.examine { event in
                switch event {
                case .finding(let finding): await session.tell(finding)
                case .completed: break
                case .failed(let failure):
                    await session.tell(DoctorFinding("daemon", .fail, failure.error.message))
                }
            }
        } catch ClientError.cancelled {
            throw ClientError.cancelled
        } catch is CancellationError {
            throw ClientError.cancelled
        } catch {
            await session.tell(
                DoctorFinding(
                    "daemon", .fail, ClientError.sentence(for: error) + "; the rest was not measured"))
        }
    }
}
