import Foundation
import Tensors
import Testing
import Tokenizers

@testable import Llama

/// The real file against transformers' own dequantised run; `make-smollm2-reference.py` made the numbers.
///
/// Runs where the file is: `INKLING_TEST_MODEL`, or the folder into which the set-up fetches it.
@Suite(.enabled(if: SmolLM2.path != nil, "SmolLM2-135M-Instruct.Q4_1.gguf isn't here"))
struct SmolLM2Tests {
    @Test func tokensEqualTheReference() throws {
        let (model, reference) = try (SmolLM2.model(), SmolLM2.reference())
        #expect(model.tokenizer.encode(reference.text) == reference.tokens)
        for prompt in reference.prompts {
            #expect(model.tokenizer.encode(prompt.prompt, parsingSpecial: true) == prompt.tokens)
        }
    }

    @Test func meanLogProbabilityIsTheReferences() throws {
        let (model, reference) = try (SmolLM2.model(), SmolLM2.reference())
        let logprobs = try SmolLM2.logprobs(reference.tokens, from: 0, model).map { $0.logprob }
        let mean = logprobs.reduce(0, +) / Double(logprobs.count)
        #expect(logprobs.count == reference.tokens.count - 1)
        #expect(abs(mean - reference.meanLogprob) < 0.01 * abs(reference.meanLogprob), "mean \(mean)")
    }

    /// Each token is predicted from the reference's own, so that one difference doesn't hide what follows it.
    @Test func greedyTokensAreTheReferencesWhereItIsSure() throws {
        let (model, reference) = try (SmolLM2.model(), SmolLM2.reference())
        var compared = 0
        for prompt in reference.prompts {
            let tokens = prompt.tokens + prompt.continuation
            let predicted = try SmolLM2.logprobs(tokens, from: prompt.tokens.count - 1, model).map { $0.best }
            for (index, gap) in prompt.gaps.enumerated() where gap > 0.1 {
                compared += 1
                #expect(
                    predicted[index] == prompt.continuation[index],
                    "token \(index) after \(prompt.prompt.debugDescription), gap \(gap)")
            }
        }
        #expect(compared > 1000)
    }
}

/// The file, its model and its reference.
enum SmolLM2 {
    struct Reference: Decodable {
        struct Prompt: Decodable {
            let prompt: String
            let tokens: [Int32]
            let continuation: [Int32]
            let gaps: [Double]
        }

        let text: String
        let tokens: [Int32]
        let meanLogprob: Double
        let prompts: [Prompt]
    }

    static let path: String? = {
        let environment = ProcessInfo.processInfo.environment
        let data = environment["XDG_DATA_HOME"] ?? (environment["HOME"] ?? "") + "/.local/share"
        let name = "SmolLM2-135M-Instruct.Q4_1.gguf"
        let candidates = [environment["INKLING_TEST_MODEL"], data + "/inkling/models/" + name]
        return candidates.compactMap { $0 }.first {
            $0.hasSuffix(name) && FileManager.default.fileExists(atPath: $0)
        }
    }()

    static func model(threads: Int = 2) throws -> LlamaModel {
        try LlamaModel.load(#require(path), operations: Operations(pool: WorkerPool(threadCount: threads)))
    }

    static func reference() throws -> Reference {
        try JSONDecoder().decode(Reference.self, from: ModelFixture.read("smollm2-reference.json"))
    }

    /// What the model thinks of each of `tokens` but the first ones, and what it would have said.
    static func logprobs(
        _ tokens: [Int32], from start: Int, _ model: LlamaModel
    ) throws -> [(logprob: Double, best: Int32)] {
        var cache = model.makeCache(capacity: tokens.count)
        var result: [(logprob: Double, best: Int32)] = []
        try model.prefillAllLogits(Array(tokens.dropLast()), cache: &cache) { index, logits in
            guard index >= start, let row = try? LogProbabilities(UnsafeBufferPointer(logits.floats)) else {
                return
            }
            result.append((Double(row[tokens[index + 1]]), row.top(1)[0].id))
        }
        return result
    }
}
