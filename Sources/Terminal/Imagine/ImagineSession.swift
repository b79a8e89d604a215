import AssistantAPI
import FoundationEssentials
import Glibc

/// Has pictures painted, and shows and keeps them as they come.
public struct ImagineSession: Sendable {
    /// What the session works with.
    struct Surroundings: Sendable {
        /// Standard output.
        var output: TerminalOutput
        /// Standard error.
        var errors: TerminalOutput
        /// Whether somebody reads standard error who cannot be shown a bar there.
        var wantsLines = false
        /// Whether a person reads standard output; a program wants the files' names alone.
        var isRead: Bool
        /// Takes the bytes of a picture that goes to standard output.
        var writeBytes: @Sendable ([UInt8]) -> Void
        /// Is told an unfinished file, to remove it should the process end.
        var guardFile: @Sendable (String?) -> Void = { _ in }
        var display: PictureDisplay?
        /// How often the progress is drawn anew without news; `nil` for never.
        var interval: Duration?
        /// The time since the session was made.
        var elapsed: @Sendable () -> Duration
    }

    /// How many pictures on their way are asked for.
    private static let partialCount = 3

    private let client: DaemonClient
    private let options: ImagineOptions
    private let surroundings: Surroundings

    /// A session on the standard streams, with options that are settled.
    public init(client: DaemonClient, options: ImagineOptions, environment: [String: String]) {
        let output = TerminalOutput.standard(isPlain: options.isPlain, environment: environment)
        let errors = TerminalOutput.standardError(isPlain: options.isPlain, environment: environment)
        let display =
            output.isTerminal && options.showsPictures
            ? PictureDisplay.detect(preferred: options.graphics, environment: environment) : nil
        let start = ContinuousClock.now
        self.init(
            client: client, options: options,
            surroundings: Surroundings(
                output: output, errors: errors, wantsLines: isatty(2) == 1 && !errors.isTerminal,
                isRead: isatty(1) == 1,
                writeBytes: { StandardStreams.write($0, to: 1) }, guardFile: { RawMode.removeAtEnd($0) },
                display: display, interval: .milliseconds(250), elapsed: { start.duration(to: .now) }))
    }

    init(client: DaemonClient, options: ImagineOptions, surroundings: Surroundings) {
        self.client = client
        self.options = options
        self.surroundings = surroundings
    }

    /// Paints, shows the progress, and writes each picture when it is finished.
    ///
    /// - Throws: `ClientError`; the pictures that were finished before are written and told.
    public func run() async throws {
        var request = options.request
        let display = options.showsPictures ? surroundings.display : nil
        if display != nil, options.showsPreview ?? true { request.partialImages = Self.partialCount }
        let printer = PicturePrinter(options: options, surroundings: surroundings, display: display)
        let ticker = surroundings.interval.map { interval in
            Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: interval)
                    await printer.tick()
                }
            }
        }
        defer { ticker?.cancel() }
        do {
            try await client.paint(request) { try await printer.receive($0) }
            try await printer.finish()
        } catch {
            throw try await printer.fail(error)
        }
    }
}
