import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite struct DaemonLauncherTests {
    private final class Folder: Sendable {
        let path: String

        init() throws {
            var template = Array("/tmp/inkling-test-XXXXXX".utf8CString)
            guard let made = mkdtemp(&template) else { throw POSIXError(.EIO) }
            path = String(cString: made)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func script(_ text: String) throws -> String {
            let file = path + "/inklingd"
            try ("#!/bin/sh\n" + text).write(toFile: file, atomically: true, encoding: .utf8)
            chmod(file, 0o700)
            return file
        }
    }

    private final class Sentences: Sendable {
        private let said = Mutex<[String]>([])
        var all: [String] { said.withLock { $0 } }
        func add(_ sentence: String) { said.withLock { $0.append(sentence) } }
    }

    private func launcher(
        _ folder: Folder, socket: String? = nil, version: String = "1.2.0", executables: [String],
        startLimit: Duration = .seconds(20)
    ) -> DaemonLauncher {
        DaemonLauncher(
            client: DaemonClient(socket: socket ?? folder.path + "/s"), log: folder.path + "/state/d.log",
            environment: [:], version: version, executables: executables, startLimit: startLimit)
    }

    private static func health(_ version: String, pid: Int = 1) -> String {
        #"{"models":[],"pid":\#(pid),"status":"ok","version":"\#(version)"}"#
    }

    @Test func aMissingDaemonIsNamed() async throws {
        let folder = try Folder()
        let places = [folder.path + "/a/inklingd", folder.path + "/b/inklingd"]
        await #expect(throws: ClientError.daemonNotFound(looked: places)) {
            try await launcher(folder, executables: places).ensureRunning { _ in }
        }
    }

    @Test func aDaemonThatEndsSaysWhyInItsOwnWords() async throws {
        let folder = try Folder()
        let script = try folder.script(
            "echo starting; echo 'inklingd: the history cannot be opened' >&2; exit 3\n")
        let error = await #expect(throws: ClientError.self) {
            try await launcher(folder, executables: [script]).ensureRunning { _ in }
        }
        #expect(
            error
                == .daemonFailed(
                    reason: "inklingd: the history cannot be opened", log: folder.path + "/state/d.log"))
        var status = stat()
        #expect(stat(folder.path + "/state/d.log", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func aDaemonThatNeverAnswersIsGivenUp() async throws {
        let folder = try Folder()
        let script = try folder.script("exit 73\n")
        let error = await #expect(throws: ClientError.self) {
            try await launcher(folder, executables: [script], startLimit: .milliseconds(60))
                .ensureRunning { _ in }
        }
        #expect(error?.description.contains("did not answer") == true)
        #expect(error?.exitCode == 69)
    }

    @Test func aDaemonOfThisVersionIsUsed() async throws {
        let folder = try Folder()
        let server = try SocketServer { $0.answer(Self.health("1.2.0")) }
        defer { server.stop() }
        let sentences = Sentences()
        try await launcher(folder, socket: server.path, executables: []).ensureRunning { sentences.add($0) }
        #expect(sentences.all.isEmpty)
        #expect(server.requests.count == 1)
    }

    @Test func aNewerDaemonIsUsedWithASentence() async throws {
        let folder = try Folder()
        let server = try SocketServer { $0.answer(Self.health("1.10.0")) }
        defer { server.stop() }
        let sentences = Sentences()
        try await launcher(folder, socket: server.path, executables: []).ensureRunning { sentences.add($0) }
        #expect(sentences.all.count == 1)
        #expect(sentences.all.first?.contains("newer") == true)
    }

    @Test func anOlderDaemonIsAskedToEndAndReplaced() async throws {
        let folder = try Folder()
        let isReplaced = Mutex(false)
        let server = try SocketServer { connection in
            if connection.request.method == "POST" {
                connection.answer("{}", status: "202 Accepted")
                isReplaced.withLock { $0 = true }
            } else {
                let isNew = isReplaced.withLock { $0 }
                connection.answer(Self.health(isNew ? "1.2.0" : "1.1.9", pid: isNew ? 2 : 1))
            }
        }
        defer { server.stop() }
        // The new daemon here is the same server with another version; the script only says that it was started.
        let script = try folder.script("echo started > \(folder.path)/started; exit 73\n")
        let sentences = Sentences()
        try await launcher(folder, socket: server.path, executables: [script])
            .ensureRunning { sentences.add($0) }
        #expect(sentences.all.first?.contains("older version 1.1.9") == true)
        #expect(server.requests.map(\.target).contains("/inkling/v1/shutdown"))
    }

    @Test func versionsAreComparedByNumber() {
        #expect(DaemonLauncher.compare("0.9.0", "0.10.0") == -1)
        #expect(DaemonLauncher.compare("1.0", "1.0.0") == 0)
        #expect(DaemonLauncher.compare("1.0.1", "1.0") == 1)
        #expect(DaemonLauncher.compare("2.0.0-beta", "1.9.9") == 1)
    }

    @Test func theChildHasABacktraceThatAsksNothing() {
        let variable = DaemonLauncher.childEnvironment(["A": "b"])["SWIFT_BACKTRACE"]
        #expect(variable?.contains("interactive=no") == true)
        #expect(DaemonLauncher.childEnvironment(["SWIFT_BACKTRACE": "x"])["SWIFT_BACKTRACE"] == "x")
    }
}
