import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite struct PictureFileTests {
    @Test func namesAreMadeOfThePromptAndTheSeed() {
        func name(_ prompt: String, _ seed: UInt64 = 42) -> String {
            PictureName.automatic(prompt: prompt, seed: seed, format: .png)
        }
        #expect(name("A fox, reading a newspaper!") == "a-fox-reading-a-newspaper-42.png")
        #expect(name("../../etc/passwd\u{1B}[2J") == "etc-passwd-2j-42.png")
        #expect(name("?!") == "picture-42.png")
        #expect(name("Füchse 狐 2", .max) == "füchse-狐-2-18446744073709551615.png")
        #expect(
            PictureName.automatic(prompt: "fox", seed: 1, format: .webp, attempt: 3) == "fox-1-3.webp")
    }

    @Test func longPromptsMakeNamesOfWholeWords() {
        let name = PictureName.automatic(
            prompt: String(repeating: "word ", count: 40), seed: 1, format: .png)
        #expect(name == Array(repeating: "word", count: 12).joined(separator: "-") + "-1.png")
        let long = PictureName.automatic(
            prompt: String(repeating: "狐", count: 100), seed: 1, format: .png)
        #expect(long == String(repeating: "狐", count: 20) + "-1.png")
    }

    @Test func severalPicturesAreNumberedBeforeTheEnding() {
        #expect(PictureName.numbered("a.b/fox.png", index: 0, count: 1) == "a.b/fox.png")
        #expect(PictureName.numbered("a.b/fox.png", index: 1, count: 3) == "a.b/fox-2.png")
        #expect(PictureName.numbered("a.b/fox", index: 0, count: 12) == "a.b/fox-01")
        #expect(PictureName.numbered("/.hidden", index: 9, count: 10) == "/.hidden-10")
    }

    @Test func filesAreReplacedOnlyWhenAskedFor() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1], "fox.png")
        #expect(throws: PictureFile.Failure.exists) { try PictureFile.write([2], to: path, replacing: false) }
        #expect(folder.read("fox.png") == [1])
        try PictureFile.write([3], to: path, replacing: true)
        #expect(folder.read("fox.png") == [3])
        try PictureFile.write([4], to: folder.path + "/new.png", replacing: false)
        #expect(folder.names == ["fox.png", "new.png"])
    }

    @Test func theUnfinishedFileIsTold() throws {
        let folder = try TemporaryFolder()
        let told = Mutex<[String?]>([])
        try PictureFile.write([1], to: folder.path + "/fox.png", replacing: false) { path in
            told.withLock { $0.append(path) }
        }
        let paths = told.withLock { $0 }
        #expect(paths.count == 2)
        #expect(paths.first??.hasPrefix(folder.path + "/.inkling-") == true)
        #expect(paths.last == .some(nil))
    }

    @Test func aFileThatCannotBeWrittenLeavesNothing() throws {
        let folder = try TemporaryFolder()
        #expect(throws: PictureFile.Failure.system(ENOENT)) {
            try PictureFile.write([1], to: folder.path + "/none/fox.png", replacing: true)
        }
        mkdir(folder.path + "/fox.png", 0o700)
        #expect(throws: PictureFile.Failure.system(EISDIR)) {
            try PictureFile.write([1], to: folder.path + "/fox.png", replacing: true)
        }
        // A name that is too long is noticed when the complete file is moved.
        let long = folder.path + "/" + String(repeating: "x", count: 300)
        #expect(throws: PictureFile.Failure.system(ENAMETOOLONG)) {
            try PictureFile.write([1], to: long, replacing: true)
        }
        #expect(folder.names == ["fox.png"])
    }

    @Test func aFullDeviceIsSaid() {
        #expect(throws: PictureFile.Failure.system(ENOSPC)) {
            try PictureFile.write([1], to: "/dev/full", replacing: true)
        }
    }

    @Test func linksAndDevicesStayWhatTheyAre() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], "real.png")
        chmod(file, 0o640)
        symlink("real.png", folder.path + "/link.png")
        try PictureFile.write([2], to: folder.path + "/link.png", replacing: true)
        #expect(folder.read("real.png") == [2])
        var status = stat()
        #expect(lstat(folder.path + "/link.png", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o640)
        try PictureFile.write([3], to: "/dev/null", replacing: true)
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }
}
