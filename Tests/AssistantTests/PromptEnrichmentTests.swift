import AssistantAPI
import Testing

@testable import Assistant

@Suite("Enriched prompts")
struct PromptEnrichmentTests {
    @Test("The person's words stay in front, whatever the model answers.")
    func keepsTheWords() throws {
        let enrichment = try PromptEnrichment("  a  red fox ")
        #expect(
            enrichment.result(" in the snow, soft light.\nAnd more") == "a red fox, in the snow, soft light")
        #expect(enrichment.result("\"A red fox, at night\"") == "a red fox, at night")
        #expect(enrichment.result(" \n\n ") == "a red fox")
        #expect(enrichment.result("...") == "a red fox")
        #expect(enrichment.result("A red fox.") == "a red fox")
    }

    @Test("A model that rambles is cut after a whole phrase.")
    func cutsLongAnswers() throws {
        let answer = Array(repeating: "in a wide green valley", count: 30).joined(separator: ", ")
        let result = try PromptEnrichment("a fox").result(answer)
        #expect(result.count <= 210)
        #expect(result.hasSuffix("valley"))
    }

    @Test(
        "Nothing to enrich, and too much, are refused by name.",
        arguments: ["", " \n", String(repeating: "fox ", count: 200)])
    func refusesOtherTexts(text: String) {
        let error = #expect(throws: AssistantError.self) { try PromptEnrichment(text) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.parameter == "text")
    }

    @Test("The model is asked with the words last, and answers the same every time.")
    func asksForAdditions() throws {
        let request = try PromptEnrichment("a fox").request(model: "small")
        guard case .chat(let messages) = request.prompt else {
            Issue.record("no chat")
            return
        }
        #expect(messages.last == ChatMessage(role: .user, content: "a fox"))
        #expect(request.model == "small")
        #expect(request.settings.temperature == 0)
    }
}
