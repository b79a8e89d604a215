import Foundation
import Testing

@testable import Settings

@Suite struct PathsTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    @Test func baseDirectoriesAreFollowed() throws {
        let paths = try Paths(environment: [
            "HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d", "XDG_STATE_HOME": "/s",
            "XDG_CACHE_HOME": "/k", "XDG_RUNTIME_DIR": "/r",
        ])
        #expect(paths.configurationFile == "/c/inkling/config.toml")
        #expect(paths.models == "/d/inkling/models")
        #expect(paths.history == "/d/inkling/history.db")
        #expect(paths.inputHistory == "/s/inkling/input-history")
        #expect(paths.log == "/s/inkling/inklingd.log")
        #expect(paths.cache == "/k/inkling")
        #expect(paths.socket == "/r/inkling/inkling.sock")
        #expect(paths.lock == "/r/inkling/inkling.sock.lock")
    }

    @Test func relativeBaseDirectoriesAreIgnored() throws {
        let paths = try Paths(environment: ["HOME": "/h", "XDG_CONFIG_HOME": "c", "XDG_DATA_HOME": ""])
        #expect(paths.configuration == "/h/.config/inkling")
        #expect(paths.data == "/h/.local/share/inkling")
        #expect(paths.state == "/h/.local/state/inkling")
    }

    @Test func withoutRuntimeDirectoryTheSocketIsStillInAPrivatePlace() throws {
        let paths = try Paths(environment: ["HOME": "/h"])
        #expect(["/run/user/\(getuid())/inkling", "/h/.local/state/inkling/run"].contains(paths.runtime))
    }

    @Test func whatCameWithTheProgramLiesUnderShareAndInTheCloneAroundTheProgram() throws {
        let folder = try TemporaryFolder()
        let clone = folder.path + "/clone"
        try FileManager.default.createDirectory(
            atPath: clone + "/Assets/models", withIntermediateDirectories: true)
        #expect(
            Paths.shipped("models", besides: clone + "/.build/release/inklingd") == [
                clone + "/.build/share/inkling/models", clone + "/Assets/models",
            ])
        #expect(
            Paths.shipped("models", besides: folder.path + "/usr/bin/inklingd") == [
                folder.path + "/usr/share/inkling/models"
            ])
        #expect(Paths.shipped("page", besides: "/inklingd").isEmpty)
        #expect(Paths.executable()?.hasPrefix("/") == true)
    }

    @Test func homeComesFromTheUserDatabaseWhereItIsNotSet() throws {
        #expect(try Paths(environment: [:]).home.hasPrefix("/"))
    }

    @Test func longSocketPathsAreRefusedWithASentence() throws {
        var configuration = Configuration()
        let paths = try Paths(environment: ["HOME": "/h"])
        configuration.server.socket = "/" + String(repeating: "s", count: 106)
        #expect(try paths.applying(configuration).socket.utf8.count == 107)
        configuration.server.socket?.append("s")
        let error = #expect(throws: ConfigurationError.self) { try paths.applying(configuration) }
        #expect("\(try #require(error))".contains("has 108 bytes and the system takes at most 107"))
    }

    @Test func theConfigurationMovesSocketAndHistory() throws {
        var configuration = Configuration()
        configuration.history.path = "/x/h.db"
        configuration.server.socket = "/x/s"
        let paths = try Paths(environment: ["HOME": "/h"]).applying(configuration)
        #expect(paths.history == "/x/h.db")
        #expect(paths.lock == "/x/s.lock")
    }

    @Test func ownDirectoriesAreMadePrivate() throws {
        let folder = try TemporaryFolder()
        let paths = try Paths(environment: ["HOME": folder.path, "XDG_RUNTIME_DIR": folder.path + "/run"])
        try FileManager.default.createDirectory(
            atPath: paths.data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        try paths.prepare()
        try paths.prepare()
        for path in [paths.configuration, paths.data, paths.models, paths.state, paths.cache, paths.runtime] {
            #expect(try mode(path) == 0o700)
        }
    }

    /// Models may lie on another disk; what others could read or put there is no secret.
    @Test func theFolderOfModelsMayBeALink() throws {
        let folder = try TemporaryFolder()
        let paths = try Paths(environment: ["HOME": folder.path, "XDG_RUNTIME_DIR": folder.path + "/run"])
        try FileManager.default.createDirectory(atPath: paths.data, withIntermediateDirectories: true)
        let disk = folder.path + "/disk"
        try FileManager.default.createSymbolicLink(atPath: paths.models, withDestinationPath: disk)
        #expect(throws: ConfigurationError.self) { try paths.prepare() }
        try FileManager.default.createDirectory(
            atPath: disk, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        try paths.prepare()
        #expect(try mode(disk) == 0o755)
    }

    @Test func otherProgramsModelsAreLookedForWhereTheyLie() throws {
        let usual = try Paths(environment: ["HOME": "/h"])
        #expect(usual.ollamaStores.first == "/h/.ollama/models")
        #expect(usual.hubCaches == ["/h/.cache/huggingface/hub"])
        let named = try Paths(environment: ["HOME": "/h", "OLLAMA_MODELS": "/o", "HF_HOME": "/f"])
        #expect(named.ollamaStores.first == "/o" && named.hubCaches == ["/f/hub"])
    }

    @Test func linksAndFilesAreNoDirectories() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("", to: "file")
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        for path in [file, link, file + "/below"] {
            #expect(throws: ConfigurationError.self) { try Paths.makePrivateDirectory(path) }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs the right to give a directory away"))
    func directoriesOfOthersAreRefused() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/theirs"
        try Paths.makePrivateDirectory(path)
        #expect(chown(path, 65_534, 65_534) == 0)
        let error = #expect(throws: ConfigurationError.self) { try Paths.makePrivateDirectory(path) }
        #expect("\(try #require(error))".contains("belongs to user 65534"))
    }
}
