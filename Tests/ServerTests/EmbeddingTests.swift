import AssistantAPI
import FoundationEssentials
import Testing

@testable import Assistant
@testable import Server

/// Vectors of texts, as OpenAI's and Ollama's clients ask for them.
@Suite(.timeLimit(.minutes(5)))
struct EmbeddingTests {
    private static func vectors(_ json: JSON?) -> [[Double]] {
        guard case .array(let rows) = json else { return [] }
        return rows.map { row in
            guard case .array(let numbers) = row["embedding"] ?? row else { return [] }
            return numbers.compactMap { if case .number(let number) = $0 { number.value } else { nil } }
        }
    }

    @Test func aTextHasTheSameVectorAloneAndAmongOthers() async throws {
        try await RunningDaemon.run { daemon in
            let long = String(repeating: "The sea is wide. ", count: 20)
            let many = try await daemon.json(
                "/v1/embeddings", #"{"model":"tiny","input":["Hello","\#(long)","Hello"]}"#)
            #expect(many["object"] == "list" && many["model"] == "tiny")
            #expect(many["usage"]?.text == #"{"prompt_tokens":350,"total_tokens":350}"#)
            let vectors = Self.vectors(many["data"])
            #expect(
                vectors.map(\.count) == [64, 64, 64] && vectors[0] == vectors[2] && vectors[0] != vectors[1]
            )
            for vector in vectors { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5) }
            for (text, vector) in [("Hello", vectors[0]), (long, vectors[1])] {
                let alone = try await daemon.json("/v1/embeddings", #"{"input":"\#(text)"}"#)
                #expect(Self.vectors(alone["data"]) == [vector])
                let ollama = try await daemon.json(
                    "/api/embed", #"{"model":"tiny:latest","input":"\#(text)"}"#)
                #expect(Self.vectors(ollama["embeddings"]) == [vector])
                let older = try await daemon.json(
                    "/api/embeddings", #"{"model":"tiny","prompt":"\#(text)"}"#)
                #expect(Self.vectors([older["embedding"] ?? .null]) == [vector])
            }
        }
    }

    @Test func tokensBase64AndDimensions() async throws {
        try await RunningDaemon.run { daemon in
            let text = try await daemon.json("/v1/embeddings", #"{"input":"ab"}"#)
            let tokens = try await daemon.json("/v1/embeddings", #"{"input":[97,98]}"#)
            #expect(text["data"] == tokens["data"])
            let several = try await daemon.json("/v1/embeddings", #"{"input":[[97,98],[99]]}"#)
            let (all, one) = (Self.vectors(several["data"]), Self.vectors(text["data"]))
            #expect(all.count == 2 && all[0] == one[0])
            let coded = try await daemon.json(
                "/v1/embeddings", #"{"input":"ab","encoding_format":"base64"}"#)
            guard case .array(let data) = coded["data"],
                case .string(let base64) = data.first?["embedding"]
            else {
                Issue.record("\(coded.text.prefix(200))")
                return
            }
            let bytes = Array(try #require(Data(base64Encoded: base64)))
            let floats = bytes.withUnsafeBytes { bytes in
                (0..<bytes.count / 4).map { index -> Float in
                    let bits = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                    return Float(bitPattern: UInt32(littleEndian: bits))
                }
            }
            #expect(floats == one[0].map { Float($0) })
            let short = try await daemon.json("/v1/embeddings", #"{"input":"ab","dimensions":8}"#)
            let vector = Self.vectors(short["data"])[0]
            #expect(vector.count == 8 && abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        }
    }

    @Test func whatIsTooLongIsRefusedOrCut() async throws {
        try await RunningDaemon.run { daemon in
            let long = String(repeating: "x", count: 600)
            let refused = try await daemon.post("/v1/embeddings", #"{"input":"\#(long)"}"#)
            #expect(refused.status == 400)
            #expect(try refused.error().code == "context_length_exceeded")
            let cut = try await daemon.json("/api/embed", #"{"model":"tiny","input":["\#(long)"]}"#)
            #expect(cut["prompt_eval_count"] == 512)
            let strict = try await daemon.post(
                "/api/embed", #"{"model":"tiny","input":"\#(long)","truncate":false}"#)
            #expect(strict.status == 400)
            let nothing = try await daemon.json("/api/embed", #"{"model":"tiny"}"#)
            #expect(nothing["embeddings"] == [])
        }
    }

    private static let refusals: [(body: String, parameter: String)] = [
        ("{}", "input"), (#"{"input":[]}"#, "input"), (#"{"input":""}"#, "input"),
        (#"{"input":7}"#, "input"),
        (#"{"input":[true]}"#, "input"), (#"{"input":[[]]}"#, "input"), (#"{"input":[999]}"#, "input"),
        (#"{"input":"a","dimensions":65}"#, "dimensions"),
        (#"{"input":"a","dimensions":0}"#, "dimensions"),
        (#"{"input":"a","encoding_format":"int8"}"#, "encoding_format"),
    ]

    @Test func refusalsNameTheField() async throws {
        try await RunningDaemon.run { daemon in
            for (body, parameter) in Self.refusals {
                let response = try await daemon.post("/v1/embeddings", body)
                #expect(response.status == 400, "\(body)")
                #expect(try response.error().parameter == parameter, "\(body): \(response.text)")
            }
        }
    }

    @Test func vectorsAreCountedAndTheirMemoryIsGivenBack() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json("/v1/embeddings", #"{"input":["a","b"]}"#)
            #expect(answer["timings"]?["prompt_n"] == 2)
            let metrics = try await daemon.get("/metrics").text
            #expect(metrics.contains("inkling_embeddings_total 1\n"))
            #expect(metrics.contains("inkling_embedding_tokens_total 2\n"))
            #expect(metrics.contains("inkling_chat_answers_total 0\n"))
            #expect(metrics.contains(#"inkling_memory_bytes{owner="attention_caches"} 0"#))
        }
    }
}
