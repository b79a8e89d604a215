import Dispatch
import Glibc

/// Has a text edited in the user's own editor.
struct ExternalEditor: Sendable {
    /// A shell command, as `VISUAL` and `EDITOR` hold it.
    let command: String
    private let environment: [String: String]
    private let folder: String

    init(environment: [String: String]) {
        self.environment = environment
        func named(_ variable: String) -> String? {
            environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        }
        command = named("INKLING_EDITOR") ?? named("VISUAL") ?? named("EDITOR") ?? "vi"
        folder = named("XDG_RUNTIME_DIR") ?? named("TMPDIR") ?? "/tmp"
    }

    /// The text as the editor left it.
    ///
    /// It lies in a file that only its owner can read, which is removed afterwards, also by a signal that ends
    /// this process.
    ///
    /// - Throws: `ClientError.failed` with what went wrong; the text is then unchanged.
    func edit(_ text: String) async throws -> String {
        let path = try makeFile(with: text)
        RawMode.removeAtEnd(path)
        defer {
            unlink(path)
            RawMode.removeAtEnd(nil)
        }
        let ending = try await run(on: path)
        guard ending == .exited(code: 0) else {
            throw ClientError.failed("the editor \"\(command)\" did not end well; the text is as it was")
        }
        guard let bytes = FileBytes.read(path, limit: 16 << 20) else {
            throw ClientError.failed("the edited text cannot be read back; the text is as it was")
        }
        let edited = String(decoding: bytes, as: UTF8.self)
        return edited.hasSuffix("\n") ? String(edited.dropLast()) : edited
    }

    private func makeFile(with text: String) throws -> String {
        var template = Array("\(folder)/inkling-XXXXXX.md".utf8CString)
        let descriptor = mkstemps(&template, 3)
        guard descriptor >= 0 else {
            throw ClientError.failed("no file for the editor in \(folder): \(ClientError.system(errno))")
        }
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        guard FileBytes.write(Array((text.isEmpty ? "" : text + "\n").utf8), to: descriptor) else {
            unlink(path)
            throw ClientError.failed(
                "no room for the editor's file in \(folder): \(ClientError.system(errno))")
        }
        return path
    }

    private func run(on path: String) async throws -> ChildProcess.Ending {
        let child: ChildProcess
        do {
            child = try ChildProcess.start(
                "/bin/sh", ["-c", command + " \"$1\"", "sh", path], environment: environment,
                streams: .inherited, isDetached: false)
        } catch {
            throw ClientError.failed("the editor \"\(command)\" cannot be started: \(error)")
        }
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { @Sendable in continuation.resume(returning: child.waitForEnd()) }
        }
    }
}
