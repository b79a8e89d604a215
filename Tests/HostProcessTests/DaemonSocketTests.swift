import Glibc
import HostProcess
import Testing

struct DaemonSocketTests {
    @Test func socketIsOursAlone() throws {
        let folder = try TemporaryFolder()
        let socket = try DaemonSocket.bind(folder.path + "/s")
        defer { close(socket.descriptor) }
        var status = stat()
        #expect(lstat(socket.path, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(status.st_mode & 0o777 == 0o600)
        socket.remove()
        #expect(access(socket.path, F_OK) != 0)
    }

    @Test func staleSocketIsReplaced() throws {
        let folder = try TemporaryFolder()
        close(try DaemonSocket.bind(folder.path + "/s").descriptor)
        let socket = try DaemonSocket.bind(folder.path + "/s")
        #expect(socket.isInherited == false)
        close(socket.descriptor)
    }

    @Test func fileInPlaceOfTheSocketIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        let error = #expect(throws: DaemonError.self) { try DaemonSocket.bind(path) }
        #expect(error?.status == .cannotCreate)
        #expect(access(path, F_OK) == 0)
    }

    @Test func linkInPlaceOfTheSocketIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        #expect(symlink("/nowhere", folder.path + "/s") == 0)
        #expect(throws: DaemonError.self) { try DaemonSocket.bind(folder.path + "/s") }
        var status = stat()
        #expect(lstat(folder.path + "/s", &status) == 0)
    }

    @Test func longPathsAreRefusedWithASentence() {
        let error = #expect(throws: DaemonError.self) {
            try DaemonSocket.bind("/tmp/" + String(repeating: "x", count: 200))
        }
        #expect(error?.message.contains("107") == true)
    }

    @Test func inheritedSocketNeedsOurProcessID() throws {
        #expect(try DaemonSocket.inherited([:]) == nil)
        #expect(try DaemonSocket.inherited(["LISTEN_PID": "1", "LISTEN_FDS": "1"]) == nil)
        #expect(throws: DaemonError.self) {
            try DaemonSocket.inherited(["LISTEN_PID": String(getpid()), "LISTEN_FDS": "2"])
        }
    }
}

struct SocketDirectoryTests {
    @Test func missingDirectoryIsMadeForUsAlone() throws {
        let folder = try TemporaryFolder()
        try SocketDirectory.verify(folder.path + "/run")
        var status = stat()
        #expect(lstat(folder.path + "/run", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test(arguments: [0o755, 0o770, 0o701] as [mode_t])
    func openDirectoryIsRefusedWithTheMend(mode: mode_t) throws {
        let folder = try TemporaryFolder()
        chmod(folder.path, mode)
        let error = #expect(throws: DaemonError.self) { try SocketDirectory.verify(folder.path) }
        #expect(error?.status == .configuration)
        #expect(error?.message.contains("chmod 700") == true)
    }

    @Test func linkToADirectoryIsRefused() throws {
        let folder = try TemporaryFolder()
        #expect(symlink("/tmp", folder.path + "/run") == 0)
        #expect(throws: DaemonError.self) { try SocketDirectory.verify(folder.path + "/run") }
    }
}
