import AssistantAPI
import FoundationEssentials
import Testing

@testable import Server

struct ConversationRouteTests {
    private static let root = "/inkling/v1/conversations"

    private static func create(_ daemon: RunningDaemon, _ body: String = "{}") async throws -> Conversation {
        let response = try await daemon.post(root, body)
        #expect(response.status == 201)
        return try Wire.decoder().decode(Conversation.self, from: Data(response.body))
    }

    private static func send(
        _ daemon: RunningDaemon, _ body: String, to conversation: Conversation
    ) async throws -> [ChatEvent] {
        let response = try await daemon.post("\(root)/\(conversation.id)/messages", body)
        #expect(response.status == 200)
        return try events(response.text)
    }

    private static func events(_ text: String) throws -> [ChatEvent] {
        try text.split(separator: "\n\n").compactMap { event in
            let lines = event.split(separator: "\n")
            guard let name = lines.first(where: { $0.hasPrefix("event: ") })?.dropFirst(7),
                let data = lines.first(where: { $0.hasPrefix("data: ") })?.dropFirst(6)
            else { return nil }
            return try ChatEvent(name: String(name), data: Data(data.utf8))
        }
    }

    @Test func conversationIsMadeRenamedDeletedAndRestored() async throws {
        try await RunningDaemon.run { daemon in
            let made = try await Self.create(daemon, #"{"title":"Birds","system":"Be brief."}"#)
            #expect(made.title == "Birds")
            let path = "\(Self.root)/\(made.id)"
            let renamed = try await daemon.request("PATCH", path, body: #"{"title":"Owls"}"#)
            #expect(try renamed.json()["title"] == "Owls")
            #expect(try await daemon.get(Self.root).text.contains("Owls"))
            #expect(try await daemon.request("DELETE", path).json()["erased_at"] != nil)
            #expect(try await daemon.get(Self.root).text.contains("Owls") == false)
            #expect(try await daemon.post(path + "/restore", "{}").status == 200)
            #expect(try await daemon.get(path).json()["conversation"]?["title"] == "Owls")
            #expect(try await daemon.request("DELETE", path + "?now=true").status == 200)
            #expect(try await daemon.get(path).status == 404)
        }
    }

    @Test func messageIsAcceptedAnsweredAndKept() async throws {
        try await RunningDaemon.run { daemon in
            let conversation = try await Self.create(daemon)
            let body = #"{"content":"Hello there","settings":{"max_tokens":4,"seed":1}}"#
            let events = try await Self.send(daemon, body, to: conversation)
            guard case .accepted(let accepted) = events.first, case .completed(let completed) = events.last
            else {
                Issue.record("unexpected events: \(events.map(\.name))")
                return
            }
            #expect(accepted.message?.content == "Hello there")
            #expect(completed.message.id == accepted.answer)
            let transcript = try Wire.decoder().decode(
                Transcript.self, from: Data(try await daemon.get("\(Self.root)/\(conversation.id)").body))
            #expect(transcript.messages.map(\.role) == [.user, .assistant])
            #expect(transcript.messages.last?.content == completed.message.content)
            let found = try await daemon.get("/inkling/v1/search?q=hello").json()
            guard case .array(let matches) = found["matches"] else { return }
            #expect(matches.count >= 1)
        }
    }

    @Test func answerIsRegeneratedBesideTheFirst() async throws {
        try await RunningDaemon.run { daemon in
            let conversation = try await Self.create(daemon)
            let settings = #""settings":{"max_tokens":3}"#
            let first = try await Self.send(daemon, #"{"content":"Hi",\#(settings)}"#, to: conversation)
            guard case .accepted(let accepted) = first.first else { return }
            let body = #"{"regenerates":"\#(accepted.answer)",\#(settings)}"#
            let second = try await Self.send(daemon, body, to: conversation)
            guard case .completed(let completed) = second.last else {
                Issue.record("unexpected events: \(second.map(\.name))")
                return
            }
            #expect(completed.message.siblingCount == 2)
            let all = try await daemon.get("\(Self.root)/\(conversation.id)/messages")
            guard case .array(let messages) = try all.json()["messages"] else {
                Issue.record("\(all.text)")
                return
            }
            // Both answers, though one alone is shown.
            #expect(messages.map { $0["role"] } == ["user", "assistant", "assistant"])
            #expect(try await daemon.get("\(Self.root)/none/messages").status == 404)
        }
    }

    private static let failures: [(method: String, path: String, body: String?, status: Int)] = [
        ("GET", "/inkling/v1/conversations/none", nil, 404),
        ("PATCH", "/inkling/v1/conversations/none", "{}", 404),
        ("DELETE", "/inkling/v1/conversations/none", nil, 404),
        ("POST", "/inkling/v1/conversations/none/restore", "{}", 404),
        ("POST", "/inkling/v1/conversations/none/messages", #"{"content":"Hi"}"#, 404),
        ("POST", "/inkling/v1/conversations", #"{"title":7}"#, 400),
        ("GET", "/inkling/v1/conversations?limit=0", nil, 400),
        ("GET", "/inkling/v1/conversations?limit=x", nil, 400), ("GET", "/inkling/v1/search", nil, 400),
        ("GET", "/inkling/v1/conversations/%FF", nil, 400),
    ]

    @Test func failuresAreJSONWithASentence() async throws {
        try await RunningDaemon.run { daemon in
            for failure in Self.failures {
                let response = try await daemon.request(failure.method, failure.path, body: failure.body)
                #expect(response.status == failure.status, "\(failure)")
                #expect(try response.error().message.isEmpty == false)
            }
        }
    }

    @Test func settingsOfAMessageAreChecked() async throws {
        try await RunningDaemon.run { daemon in
            let conversation = try await Self.create(daemon)
            let response = try await daemon.post(
                "\(Self.root)/\(conversation.id)/messages", #"{"content":"Hi","settings":{"top_p":7}}"#)
            #expect(response.status == 400)
            #expect(try response.error().parameter == "settings.top_p")
        }
    }
}
