import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct ChatTextTests {
    @Test(arguments: [
        ("/help", ChatCommand.help), ("/bye", .bye), ("/new", .new), ("/model", .model(nil)),
        ("/model  a b ", .model("a b")), ("/system be brief", .system("be brief")),
        ("/set", .set(name: nil, value: nil)),
        ("/set temperature 0.5", .set(name: "temperature", value: "0.5")),
        ("/set parameter top_k 3", .set(name: "top_k", value: "3")),
        ("/set seed=4", .set(name: "seed", value: "4")),
        ("/history", .history(nil)), ("/history two words", .history("two words")), ("/edit", .edit(nil)),
        ("/stats", .stats(nil)), ("/stats on", .stats("on")),
        ("/nonsense x", .unknown("/nonsense")), ("/system one\ntwo", .system("one\ntwo")),
    ])
    func commandsAreRead(line: String, command: ChatCommand) {
        #expect(ChatCommand(line) == command)
    }

    @Test(arguments: ["hello", "//comment", "/usr/bin/env is what?", "", " /help", "/etc\n/passwd"])
    func messagesAreNoCommands(line: String) {
        #expect(ChatCommand(line) == nil)
    }

    @Test func aSlipOfThePenIsUnderstood() {
        #expect(ChatCommand.complaint(about: "/hlep").contains("/help?"))
        #expect(ChatCommand.complaint(about: "/regen").contains("/regenerate?"))
        #expect(!ChatCommand.complaint(about: "/xyzzy").contains("did you mean"))
    }

    @Test func parametersAreCheckedWithSentences() throws {
        var settings = GenerationSettings()
        try ChatParameter.set("temperature", to: "0.25", in: &settings)
        try ChatParameter.set("top-k", to: "7", in: &settings)
        try ChatParameter.set("seed", to: "18446744073709551615", in: &settings)
        try ChatParameter.set("stop", to: #""a\nb""#, in: &settings)
        #expect(settings.temperature == 0.25)
        #expect(settings.topK == 7)
        #expect(settings.seed == .max)
        #expect(settings.stop == ["a\nb"])
        try ChatParameter.set("temperature", to: "default", in: &settings)
        #expect(settings.temperature == nil)
    }

    @Test(arguments: [
        ("temperature", "11"), ("temperature", "hot"), ("temperature", "nan"), ("top_k", "-1"),
        ("top_p", "1.5"),
        ("seed", "-1"), ("max_tokens", "1e3"), ("stop", "\"\""),
    ])
    func valuesOutOfRangeAreRefused(name: String, value: String) {
        var settings = GenerationSettings()
        let error = #expect(throws: ClientError.self) {
            try ChatParameter.set(name, to: value, in: &settings)
        }
        #expect(error?.description.hasPrefix("\(name) takes") == true)
        #expect(settings == GenerationSettings())
    }

    @Test func unknownParametersNameTheNearest() {
        var settings = GenerationSettings()
        let error = #expect(throws: ClientError.self) {
            try ChatParameter.set("temprature", to: "1", in: &settings)
        }
        #expect(error?.description.contains("did you mean temperature?") == true)
    }

    @Test func theQuestionComesBeforeWhatIsPiped() throws {
        #expect(try OneShot.prompt(question: "summarise", piped: "text\n") == "summarise\n\ntext")
        #expect(try OneShot.prompt(question: nil, piped: "text") == "text")
        #expect(try OneShot.prompt(question: "why?", piped: " \n") == "why?")
        #expect(throws: ClientError.self) { try OneShot.prompt(question: nil, piped: "") }
    }

    @Test func valuesAsJSONAreHarmlessAndReadBackAsTheyWere() throws {
        let text = "a\u{1B}[2J\u{07}\u{9B}31m\u{202E}\u{E0001}\u{7F}\n\"é日👩\u{200D}💻"
        let line = try JSONText.line([text])
        #expect(line.dropLast().unicodeScalars.allSatisfy { !TextSanitizer.isHostile($0) })
        #expect(line.contains("é日👩\u{200D}💻"))
        #expect(try JSONDecoder().decode([String].self, from: Data(line.utf8)) == [text])
    }

    @Test func sizesAreShort() {
        #expect(
            [0, 999, 1000, 97_000_000, 1_440_000_000].map(ConversationText.size) == [
                "0 B", "999 B", "1.0 kB", "97 MB", "1.4 GB",
            ])
    }

    @Test func transcriptsBecomeMarkdownWithoutControlCharacters() {
        let date = Date(timeIntervalSince1970: 0)
        var conversation = Conversation(id: "c", title: "T\u{1B}[1m", createdAt: date, updatedAt: date)
        conversation.system = "Be brief."
        let transcript = Transcript(
            conversation: conversation,
            messages: [
                Message(id: "1", conversation: "c", role: .user, content: "Hi", createdAt: date),
                Message(
                    id: "2", conversation: "c", role: .assistant, content: "Hel\u{07}lo", createdAt: date,
                    finish: .cancelled, model: "m"),
            ])
        let text = ConversationText.markdown(transcript)
        #expect(text.hasPrefix("# T[1m\n"))
        #expect(text.hasSuffix("## System\n\nBe brief.\n\n## You\n\nHi\n\n## m\n\nHello\n(stopped)\n"))
    }

    @Test func matchesAreMarkedAndHarmless() {
        let date = Date(timeIntervalSince1970: 0)
        let match = SearchMatch(
            conversation: Conversation(id: "c", title: "t", createdAt: date, updatedAt: date), message: nil,
            snippet: "a \u{2068}b\u{2069}\u{1B}[2J\nc")
        let text = ConversationText.matches([match, match], marks: ("<", ">"))
        #expect(text.hasSuffix("  t\n    a <b>[2J c\n    a <b>[2J c\n"))
    }
}
