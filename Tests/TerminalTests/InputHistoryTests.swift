import Foundation
import Testing

@testable import Terminal

@Suite struct InputHistoryTests {
    private func withFile(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/inkling-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw POSIXError(.EIO) }
        let folder = String(cString: made)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder + "/state/input-history")
    }

    @Test func blanksAndRepetitionsAreNotKept() {
        #expect(InputHistory(["a", "a", " ", "", "b", "a"]).entries == ["a", "b", "a"])
    }

    @Test func theOldestLinesGoFirst() {
        let history = InputHistory((0..<InputHistory.limit + 5).map { "line \($0)" })
        #expect(history.entries.count == InputHistory.limit)
        #expect(history.entries.first == "line 5")
    }

    @Test func linesComeBackFromAPrivateFile() throws {
        try withFile { path in
            let file = InputHistoryFile(path: path)
            #expect(file.load().entries.isEmpty)
            for line in ["one", "two\nlines", "back\\slash\\n", "日本"] { file.append(line) }
            #expect(
                InputHistoryFile(path: path).load().entries == ["one", "two\nlines", "back\\slash\\n", "日本"])
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func aLongFileIsCutWhenItIsRead() throws {
        try withFile { path in
            let file = InputHistoryFile(path: path)
            file.append((0..<3 * InputHistory.limit).map { "line \($0)" }.joined(separator: "\n"))
            let text = (0..<3 * InputHistory.limit).map { "line \($0)\n" }.joined()
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            #expect(file.load().entries.last == "line 2999")
            let kept = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(kept.count == InputHistory.limit)
        }
    }

    @Test func aFileOfManyBytesKeepsItsEnd() throws {
        try withFile { path in
            FileBytes.makePrivateFolder(above: path)
            let filler = String(repeating: "x", count: 10_000)
            let text = (0..<400).map { "\($0) \(filler)\n" }.joined()
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            let entries = InputHistoryFile(path: path).load().entries
            #expect(entries.last?.hasPrefix("399 ") == true)
            #expect(entries.allSatisfy { $0.hasSuffix(filler) && $0.count > filler.count })
            #expect(FileBytes.size(of: path) <= InputHistoryFile.byteLimit)
        }
    }

    @Test func aFileOfGarbageIsHarmless() throws {
        try withFile { path in
            FileBytes.makePrivateFolder(above: path)
            try Data([0xFF, 0xFE, 0x0A, 0x1B, 0x5B, 0x32, 0x4A, 0x0A, 0x5C]).write(
                to: URL(fileURLWithPath: path))
            let entries = InputHistoryFile(path: path).load().entries
            #expect(entries.allSatisfy { !$0.contains("\u{1B}") })
        }
    }
}
