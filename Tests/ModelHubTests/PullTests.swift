import AssistantAPI
import FoundationEssentials
import HubStandIn
import Testing

@testable import ModelHub

struct PullTests {
    private static let name = "owner/model"
    private static let file: [UInt8] = {
        var numbers = Numbers(seed: 7)
        return numbers.bytes(500_000)
    }()
    private static let repository = [
        name: ["model-Q4_0.gguf": file, "README.md": Array("Read me".utf8)]
    ]

    /// Runs `body` with a hub, and a puller in a folder of its own.
    private func run(
        _ repositories: [String: [String: [UInt8]]] = Self.repository, pageSize: Int = 1000,
        fault: @escaping @Sendable (HubStandIn.Request) -> HubStandIn.Fault? = { _ in nil },
        _ body: (HubStandIn, Puller) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let hub = try HubStandIn(repositories, pageSize: pageSize, fault: fault)
        defer { hub.stop() }
        try await body(hub, Puller(folder.path, hub.endpoint))
    }

    @Test func aFileComesWholeAndProgressNeverGoesBack() async throws {
        try await run { hub, puller in
            let outcome = try await puller.pull("hf.co/owner/model:Q4_0")
            #expect(puller.model("model-Q4_0.gguf") == Self.file)
            #expect(puller.names == ["model-Q4_0.gguf"] && puller.downloads.isEmpty)
            guard case .planned(let planned)? = outcome.events.first else { return #expect(Bool(false)) }
            #expect(planned.bytes == Self.file.count && planned.files.count == 1)
            #expect(planned.revision == HubStandIn.commit)
            #expect(outcome.counts == outcome.counts.sorted() && outcome.counts.last == Self.file.count)
            #expect(outcome.completed?.path == puller.folder + "/models/model-Q4_0.gguf")
            #expect(outcome.completed?.wasThere == false)
            #expect(hub.requests.filter { $0.range != nil && $0.path.hasPrefix("/content") }.count == 8)
        }
    }

    @Test func whatIsHereIsNotHadAgain() async throws {
        try await run { hub, puller in
            _ = try await puller.pull("owner/model")
            let before = hub.requests.filter(\.isContent).count
            #expect(try await puller.pull("owner/model:q4_0").completed?.wasThere == true)
            #expect(hub.requests.filter(\.isContent).count == before)
            #expect(puller.records.target(pulledBy: "hf.co/OWNER/model:Q4_0") == "model-Q4_0.gguf")
            let alone = Puller(puller.folder, hub.endpoint, offline: true)
            #expect(try await alone.pull("owner/model").completed?.wasThere == true)
            #expect(await hubError { _ = try await alone.pull("owner/other") } == .offline("owner/other"))
        }
    }

    @Test func aNewVersionTakesTheOldOnesPlaceAtOnce() async throws {
        try await run { hub, puller in
            _ = try await puller.pull("owner/model")
            hub.change(Self.name, "model-Q4_0.gguf", to: Array(Self.file.reversed()))
            #expect(try await puller.pull("owner/model").completed?.wasThere == false)
            #expect(puller.model("model-Q4_0.gguf") == Self.file.reversed())
        }
    }

    @Test func aDirectoryAppearsAsAWhole() async throws {
        var numbers = Numbers(seed: 3)
        let files = [
            "model_index.json": Array("{}".utf8), "scheduler/scheduler_config.json": Array("{ }".utf8),
            "unet/config.json": Array("{  }".utf8),
            "unet/diffusion_pytorch_model.fp16.safetensors": numbers.bytes(200_000),
            "unet/diffusion_pytorch_model.safetensors": numbers.bytes(400_000),
            "vae/config.json": Array("[]".utf8),
            "vae/diffusion_pytorch_model.safetensors": numbers.bytes(70_000),
        ]
        let folder = try TemporaryFolder()
        let hub = try HubStandIn(["owner/painter": files], pageSize: 2) { request in
            request.path.hasSuffix("vae/diffusion_pytorch_model.safetensors")
                && request.path.hasPrefix("/content")
                ? .status(404) : nil
        }
        defer { hub.stop() }
        let puller = Puller(folder.path, hub.endpoint)
        #expect(await hubError { _ = try await puller.pull("owner/painter") } != nil)
        #expect(puller.names.isEmpty)
        let honest = try HubStandIn(["owner/painter": files])
        defer { honest.stop() }
        let next = Puller(folder.path, honest.endpoint)
        _ = try await next.pull("owner/painter")
        #expect(next.names == ["painter"])
        for (path, bytes) in files where path != "unet/diffusion_pytorch_model.safetensors" {
            #expect(next.model("painter/" + path) == bytes, "\(path)")
        }
        #expect(next.model("painter/unet/diffusion_pytorch_model.safetensors") == nil)
        // What the first hub gave was not asked of the second.
        #expect(!honest.requests.contains { $0.path.hasPrefix("/content") && $0.path.contains("/unet/") })
        honest.change("owner/painter", "model_index.json", to: Array("{\"a\":1}".utf8))
        _ = try await next.pull("owner/painter")
        #expect(next.model("painter/model_index.json") == Array("{\"a\":1}".utf8))
        #expect(next.model("painter/unet/diffusion_pytorch_model.fp16.safetensors") != nil)
        #expect(next.names == ["painter"])
    }

    @Test func aNameOfOnesOwnAndShortNamesAreKnown() async throws {
        try await run { hub, puller in
            _ = try await puller.pull(PullRequest(model: "owner/model", name: "mine"))
            #expect(puller.names == ["mine.gguf"])
            let short = Puller(puller.folder, hub.endpoint, shortNames: ["small": "owner/model:Q4_0"])
            _ = try await short.pull("small")
            #expect(short.records.target(pulledBy: "small") == "model-Q4_0.gguf")
            for name in ["a/b", "..", ".x", "", "a\u{1B}"] {
                let request = PullRequest(model: "owner/model", name: name)
                #expect(await hubError { _ = try await puller.pull(request) } != nil)
            }
            #expect(await hubError { _ = try await puller.pull("small") } == .noReference("small"))
        }
    }

    @Test func whatWasNotPulledIsNotReplaced() async throws {
        try await run { _, puller in
            try FileManager.default.createDirectory(
                atPath: puller.folder + "/models", withIntermediateDirectories: true)
            let path = puller.folder + "/models/model-Q4_0.gguf"
            try Data("mine".utf8).write(to: URL(filePath: path))
            let error = await hubError { _ = try await puller.pull("owner/model") }
            #expect(error == .nameTaken(name: "model-Q4_0", path: path))
            #expect(puller.model("model-Q4_0.gguf") == Array("mine".utf8))
        }
    }

    @Test func theTokenIsForTheHubAlone() async throws {
        let folder = try TemporaryFolder()
        let store = try HubStandIn(Self.repository)
        defer { store.stop() }
        let hub = try HubStandIn(Self.repository, store: store.endpoint)
        defer { hub.stop() }
        let puller = Puller(folder.path, hub.endpoint, token: "secret")
        _ = try await puller.pull("owner/model")
        #expect(puller.model("model-Q4_0.gguf") == Self.file)
        #expect(hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
        #expect(!store.requests.isEmpty && store.requests.allSatisfy { $0.headers["authorization"] == nil })
        // A request that names another hub does not bring it the daemon's token.
        let request = PullRequest(model: "owner/model", name: "second", endpoint: store.endpoint)
        _ = try await puller.pull(request)
        #expect(store.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func twoPullsShareOneDownloadThatGoesOnForWhoStays() async throws {
        let gate = Gate()
        defer { gate.open() }
        try await run(fault: { request in
            if request.path.hasPrefix("/content") { gate.pass() }
            return nil
        }) { hub, puller in
            let request = PullRequest(model: "owner/model")
            var first = puller.pulls.pull(request).makeAsyncIterator()
            var second = Optional(puller.pulls.pull(request).makeAsyncIterator())
            var third = puller.pulls.pull(request).makeAsyncIterator()
            #expect(try await first.next()?.name == "planned")
            #expect(try await second?.next()?.name == "planned")
            #expect(try await third.next()?.name == "planned")
            second = nil
            gate.open()
            var last: [PullEvent?] = [nil, nil]
            while let event = try await first.next() { last[0] = event }
            while let event = try await third.next() { last[1] = event }
            #expect(last.map { $0?.name } == ["completed", "completed"])
            #expect(puller.model("model-Q4_0.gguf") == Self.file)
            #expect(hub.requests.filter { $0.path.hasPrefix("/content") }.count == 8)
        }
    }

    @Test func aPullThatIsLeftGoesOnFromThereTheNextTime() async throws {
        try await run { hub, puller in
            _ = try await puller.pull(PullRequest(model: "owner/model"), until: 200_000)
            await puller.pulls.close()
            #expect(puller.names.isEmpty)
            let next = Puller(puller.folder, hub.endpoint)
            let outcome = try await next.pull("owner/model")
            #expect(next.model("model-Q4_0.gguf") == Self.file)
            // Where all was here already there is nothing to tell.
            #expect((outcome.counts.first ?? .max) > 200_000)
        }
    }

    @Test func tooLittleRoomIsToldBeforeAnythingComes() async throws {
        try await run { hub, puller in
            let full = Puller(puller.folder, hub.endpoint, freeBytes: 1000)
            let error = await hubError { _ = try await full.pull("owner/model") }
            let expected = HubError.noSpace(
                folder: puller.folder + "/cache", needed: Self.file.count, available: 1000)
            #expect(error == expected)
            let asksForContent = hub.requests.contains(where: \.isContent)
            #expect(!asksForContent)
        }
    }

    @Test(arguments: [
        (HubStandIn.Fault.status(401), "HF_TOKEN"), (.status(403), "agreed"), (.status(404), "no repository"),
        (.status(401, headers: ["X-Error-Code": "GatedRepo"]), "agreed"),
        (.status(404, headers: ["X-Error-Code": "RevisionNotFound"]), "revision"),
        (.status(429, headers: ["Retry-After": "4000"]), "4000 seconds"), (.status(429), "too many requests"),
        (.status(500), "status 500"), (.status(418), "status 418"),
        (.redirect("nowhere://x"), "no"), (.redirect("http://127.0.0.1:1/x"), "cannot be reached"),
        (.dropInHead(after: 0), "cannot be reached: the connection broke"),
        (.dropInHead(after: 3), "cannot be reached: the connection broke"),
        (.dropInHead(after: 30), "cannot be reached: the connection broke"),
    ])
    func refusalsAreSentences(_ fault: HubStandIn.Fault, _ words: String) async throws {
        try await run(fault: { _ in fault }) { _, puller in
            let error = await hubError { _ = try await puller.pull("owner/model") }
            #expect(sentence(error).contains(words), "\(fault): \(sentence(error))")
            #expect(puller.names.isEmpty)
        }
    }

    @Test(arguments: [0, 3, 30])
    func aHubThatDropsAnswersInTheirHeadIsAskedAgain(bytes: Int) async throws {
        var numbers = Numbers(seed: 5)
        // One request's worth: so what follows what is always the same.
        let file = numbers.bytes(60_000)
        let tally = Tally()
        try await run(
            ["owner/small": ["m-Q4_0.gguf": file]],
            fault: { request in
                tally.next(request.path) < (request.isContent ? 2 : 3) ? .dropInHead(after: bytes) : nil
            }
        ) { hub, puller in
            let outcome = try await puller.pull("owner/small")
            #expect(outcome.completed?.wasThere == false)
            #expect(puller.model("m-Q4_0.gguf") == file && puller.downloads.isEmpty)
            // Commit and listing, three times in vain; the file's address and its content, twice.
            #expect(hub.requests.filter { !$0.isContent }.count == 8)
            #expect(hub.requests.filter { $0.path.hasPrefix("/content") }.count == 3)
            #expect(hub.requests.filter { $0.path.contains("/resolve/") }.count == 5)
        }
    }

    @Test func aHubThatAsksForPatienceGetsItAndTheUserIsTold() async throws {
        let count = Counter()
        try await run(fault: { request in
            request.isContent && count.next() < 3 ? .status(429, headers: ["Retry-After": "2"]) : nil
        }) { _, puller in
            let outcome = try await puller.pull("owner/model")
            #expect(puller.model("model-Q4_0.gguf") == Self.file)
            let notices = outcome.events.compactMap { event in
                if case .notice(let notice) = event { notice.message } else { nil }
            }
            #expect(notices.contains { $0.contains("Trying again in 2 s") })
        }
    }

    @Test(arguments: [
        HubStandIn.Fault.corrupt, .wrongTotal, .wrongPart, .shorten(to: 5), .drop(after: 10_000),
        .ignoreRange,
    ])
    func aHubThatLiesOnceIsFoundOutOrGotOver(_ fault: HubStandIn.Fault) async throws {
        let count = Counter()
        try await run(fault: { request in
            request.path.hasPrefix("/content") && count.next() == 1 ? fault : nil
        }) { _, puller in
            let error = await hubError { _ = try await puller.pull("owner/model") }
            if error != nil { #expect(puller.names.isEmpty) }
            if fault == .corrupt { #expect(sentence(error).contains("digest")) }
            if [.drop(after: 10_000), .ignoreRange, .shorten(to: 5)].contains(fault) {
                #expect(error == nil)
            }
            _ = try await puller.pull("owner/model")
            #expect(puller.model("model-Q4_0.gguf") == Self.file)
        }
    }

    @Test func aHubThatNeverGivesPartsGivesTheWhole() async throws {
        try await run(fault: { $0.path.hasPrefix("/content") ? .ignoreRange : nil }) { hub, puller in
            _ = try await puller.pull(PullRequest(model: "owner/model"), until: 100_000)
            await puller.pulls.close()
            let next = Puller(puller.folder, hub.endpoint)
            let outcome = try await next.pull("owner/model")
            #expect(next.model("model-Q4_0.gguf") == Self.file)
            #expect(outcome.counts == outcome.counts.sorted())
            #expect((outcome.counts.first ?? .max) >= 100_000)
        }
    }
}
