import Foundation
import Glibc
import Testing

@testable import Terminal

/// Asking a pseudo-terminal whose other side is the test; one at a time, as a process has one terminal.
@Suite(.serialized) struct TerminalQuestionTests {
    /// Both sides of a pseudo-terminal.
    private final class Pair: Sendable {
        let terminal: Int32
        let screen: Int32

        init() throws {
            // What posix_openpt, unlockpt and ptsname do, which Swift's Glibc doesn't show.
            let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
            screen = open("/dev/ptmx", O_RDWR | O_NOCTTY)
            var (lock, number): (Int32, Int32) = (0, 0)
            try #require(ioctl(screen, unlock, &lock) == 0 && ioctl(screen, getNumber, &number) == 0)
            terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
            try #require(terminal >= 0)
        }

        deinit {
            close(terminal)
            close(screen)
        }

        var attributes: termios {
            var attributes = termios()
            tcgetattr(terminal, &attributes)
            return attributes
        }

        var isRaw: Bool { attributes.c_lflag & tcflag_t(ECHO | ICANON | ISIG) == 0 }
    }

    /// Reads the question, answers in two parts, and tells what was asked.
    private func answer(_ pair: Pair, _ text: String) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var asked: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 512)
                while !String(decoding: asked, as: UTF8.self).hasSuffix("\u{1B}[K") {
                    let count = Glibc.read(pair.screen, &buffer, buffer.count)
                    guard count > 0 else { break }
                    asked += buffer[..<count]
                }
                #expect(pair.isRaw)
                let bytes = Array(text.utf8)
                for part in [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]] {
                    _ = FileBytes.write(Array(part), to: pair.screen)
                }
                continuation.resume(returning: String(decoding: asked, as: UTF8.self))
            }
        }
    }

    @Test func theAnswerIsReadAndTheTerminalPutBack() async throws {
        let pair = try Pair()
        let before = pair.attributes.c_lflag
        async let asked = answer(pair, "\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[6;18;9t\u{1B}[?62;4c")
        let answers = await Task.detached { TerminalQuestion.ask(pair.terminal, patience: .seconds(60)) }
            .value
        #expect(await asked == TerminalAnswers.question(asksKitty: true))
        #expect(answers.isComplete && answers.hasKitty && answers.hasSixel)
        #expect(answers.cell == PixelSize(width: 9, height: 18))
        #expect(pair.attributes.c_lflag == before)
    }

    @Test func whatWasTypedBeforeAndMeanwhileIsGivenBack() async throws {
        let pair = try Pair()
        #expect(FileBytes.write(Array("before".utf8), to: pair.screen))
        async let asked = answer(pair, "while\u{1B}[?62;4cafter")
        let answers = await Task.detached { TerminalQuestion.ask(pair.terminal, patience: .seconds(60)) }
            .value
        _ = await asked
        #expect(answers.hasSixel)
        // What came behind the answer may not have been read yet, and then waits for the next reader.
        #expect("beforewhileafter".hasPrefix(String(decoding: answers.typed, as: UTF8.self)))
        #expect(answers.typed.count >= "beforewhile".utf8.count)
    }

    @Test func withoutAnAnswerTheTimeIsUp() throws {
        let pair = try Pair()
        let before = pair.attributes.c_lflag
        let answers = TerminalQuestion.ask(pair.terminal, patience: .milliseconds(1))
        #expect(answers == TerminalAnswers())
        #expect(pair.attributes.c_lflag == before)
    }

    @Test func whatIsNoTerminalIsNotAsked() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(TerminalQuestion.ask(ends[1]) == TerminalAnswers())
    }
}
