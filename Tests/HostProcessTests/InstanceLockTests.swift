import Glibc
import HostProcess
import Testing

struct InstanceLockTests {
    @Test func secondHolderIsToldWhoHoldsTheLock() throws {
        let folder = try TemporaryFolder()
        let lock = try InstanceLock(path: folder.path + "/lock")
        let error = #expect(throws: DaemonError.self) { try InstanceLock(path: folder.path + "/lock") }
        #expect(error?.status == .cannotCreate)
        #expect(error?.message.contains("process \(getpid())") == true)
        withExtendedLifetime(lock) {}
    }

    @Test func lockIsFreeOnceItsHolderIsGone() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<3 { _ = try InstanceLock(path: folder.path + "/lock") }
        #expect(access(folder.path + "/lock", F_OK) == 0)
    }

    @Test func linkInPlaceOfTheLockIsRefused() throws {
        let folder = try TemporaryFolder()
        #expect(symlink("/etc/hostname", folder.path + "/lock") == 0)
        #expect(throws: DaemonError.self) { try InstanceLock(path: folder.path + "/lock") }
    }
}
