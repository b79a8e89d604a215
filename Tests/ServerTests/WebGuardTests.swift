import HTTPTypes
import Testing

@testable import Server

/// Who may ask what over loopback, over the whole table, against rules that are written down a second time.
struct WebGuardTests {
    private static let port: UInt16 = 4655
    private static let token = "token-of-this-start"
    private static let pageKey = "page-key-of-this-start"
    private static let key = "key-of-this-start"

    private static let hosts: [[String]] = [
        ["127.0.0.1:4655"], ["localhost:4655"], ["[::1]:4655"], [], [""], ["127.0.0.1"], ["127.0.0.1:4656"],
        ["evil.example"], ["localhost.evil.example:4655"], ["127.0.0.1:4655", "127.0.0.1:4655"],
        ["LOCALHOST:4655"],
        ["127.1:4655"],
    ]
    private static let origins: [[String]] = [
        [], ["http://127.0.0.1:4655"], ["http://localhost:4655"], ["null"], ["https://127.0.0.1:4655"],
        ["http://127.0.0.1:4656"], ["https://evil.example"],
        ["http://127.0.0.1:4655", "http://127.0.0.1:4655"],
    ]
    private static let sites: [[String]] = [
        [], ["same-origin"], ["none"], ["same-site"], ["cross-site"], ["same-origin", "cross-site"],
    ]
    private static let types: [[String]] = [
        [], ["application/json"], ["application/json; charset=utf-8"], ["text/plain"],
        ["application/x-www-form-urlencoded"], ["application/json", "text/plain"],
        ["multipart/form-data; boundary=b"],
    ]
    private static let proofs: [(cookies: [String], authorizations: [String])] = [
        ([], []), (["inkling-4655=\(token)"], []), (["a=b; inkling-4655=\(token)"], ["Bearer \(pageKey)"]),
        (["inkling-4655=guess"], ["Bearer \(pageKey)"]), (["inkling-4656=\(token)"], ["Bearer \(pageKey)"]),
        (["inkling-4655=\(token)"], ["Bearer \(key)"]), (["inkling-4655=\(token)"], ["Bearer guess"]),
        ([], ["Bearer \(pageKey)"]), ([], ["Bearer \(key)"]), ([], ["Bearer guess"]),
        ([], ["Bearer \(key)", "Bearer \(key)"]),
    ]
    private static let paths = ["/inkling/v1/canvases", "/page/app.js", "/"]
    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// The rules once more, in other words: whether a request is answered.
    private static func oracle(_ it: WebGuard.Question, needsKey: Bool) -> Bool {
        let own = ["127.0.0.1:4655", "localhost:4655", "[::1]:4655"].first { [$0] == it.hosts }
        guard let own, it.method != "OPTIONS" else { return false }
        let changes = it.method != "GET" && it.method != "HEAD"
        let json =
            it.contentTypes == ["application/json"] || it.contentTypes == ["application/json; charset=utf-8"]
        if it.cookies.isEmpty && it.origins.isEmpty && it.fetchSites.isEmpty {
            return needsKey ? it.authorizations == ["Bearer \(key)"] : !changes || json
        }
        let cameFromUs = it.origins == ["http://" + own]
        let saysNothing = it.origins.isEmpty
        let site =
            it.fetchSites.isEmpty || it.fetchSites == ["same-origin"] || it.fetchSites == ["none"] && !changes
        let cookie = it.cookies == ["inkling-4655=\(token)"] || it.cookies == ["a=b; inkling-4655=\(token)"]
        let known = it.authorizations == ["Bearer \(pageKey)"] || it.path != paths[0] && !changes
        return cookie && known && site && (changes ? cameFromUs && json : cameFromUs || saysNothing)
    }

    @Test(arguments: [true, false])
    func theWholeTableIsAsTheRulesSay(needsKey: Bool) {
        let rules = WebGuard(
            port: Self.port, token: Self.token, pageKey: Self.pageKey, key: needsKey ? Self.key : nil)
        var allowed = 0
        var wrong: [WebGuard.Question] = []
        for method in Self.methods {
            for host in Self.hosts {
                for origin in Self.origins {
                    for site in Self.sites {
                        for type in Self.types {
                            for (proof, path) in Self.proofs.flatMap({ proof in Self.paths.map { (proof, $0) }
                            }) {
                                let question = WebGuard.Question(
                                    method: method, path: path, hosts: host, origins: origin,
                                    fetchSites: site,
                                    contentTypes: type, cookies: proof.cookies,
                                    authorizations: proof.authorizations)
                                let isAllowed = rules.verdict(on: question) == .allowed
                                allowed += isAllowed ? 1 : 0
                                if isAllowed != Self.oracle(question, needsKey: needsKey) {
                                    wrong.append(question)
                                }
                            }
                        }
                    }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count) cells, such as \(wrong.prefix(3))")
        // Of some 800,000 cells few are let in, but some are.
        #expect(allowed > 100 && allowed < 40_000)
    }

    @Test(arguments: WebGuard.Refusal.allCases)
    func everyRefusalHasAReasonOfItsOwn(refusal: WebGuard.Refusal) {
        var question = WebGuard.Question(method: "POST", path: "/", hosts: ["localhost:4655"])
        question.origins = ["http://localhost:4655"]
        question.contentTypes = ["application/json"]
        question.cookies = ["inkling-4655=\(Self.token)"]
        question.authorizations = ["Bearer \(Self.pageKey)"]
        switch refusal {
        case .foreignHost: question.hosts = ["evil.example"]
        case .preflight: question.method = "OPTIONS"
        case .foreignOrigin: question.origins = []
        case .contentType: question.contentTypes = []
        case .noToken: question.cookies = []
        case .noKey: (question.origins, question.cookies) = ([], [])
        }
        let rules = WebGuard(port: Self.port, token: Self.token, pageKey: Self.pageKey, key: Self.key)
        #expect(rules.verdict(on: question) == .refused(refusal))
    }

    @Test func anyFetchMetadataMakesARequestABrowsers() {
        let rules = WebGuard(port: Self.port, token: Self.token, pageKey: Self.pageKey, key: nil)
        var question = WebGuard.Question(method: "GET", path: "/", hosts: ["localhost:4655"])
        #expect(rules.verdict(on: question) == .allowed)
        question.hasFetchMetadata = true
        #expect(rules.verdict(on: question) == .refused(.noToken))
    }

    @Test func aFormInPartsNeedsTheKeyAndIsNoBrowsers() {
        let type = ["multipart/form-data; boundary=b"]
        var question = WebGuard.Question(
            method: "POST", path: "/v1/images/edits", hosts: ["localhost:4655"], contentTypes: type)
        let open = WebGuard(port: Self.port, token: Self.token, pageKey: Self.pageKey, key: nil)
        #expect(open.verdict(on: question) == .refused(.contentType))
        let closed = WebGuard(port: Self.port, token: Self.token, pageKey: Self.pageKey, key: Self.key)
        #expect(closed.verdict(on: question) == .refused(.noKey))
        question.authorizations = ["Bearer \(Self.key)"]
        #expect(closed.verdict(on: question) == .allowed)
        question.origins = ["http://localhost:4655"]
        #expect(closed.verdict(on: question) == .refused(.contentType))
    }

    @Test func aLinkIsAnEntryOnlyToWhoComesByItself() {
        let rules = WebGuard(port: Self.port, token: Self.token, pageKey: Self.pageKey, key: Self.key)
        var question = WebGuard.Question(method: "GET", path: "/open/abc", hosts: ["127.0.0.1:4655"])
        question.fetchSites = ["none"]
        #expect(rules.verdict(on: question) == .entry(code: "abc"))
        question.fetchSites = ["cross-site"]
        #expect(rules.verdict(on: question) == .refused(.foreignOrigin))
        (question.fetchSites, question.hosts) = (["none"], ["evil.example:4655"])
        #expect(rules.verdict(on: question) == .refused(.foreignHost))
    }

    @Test func theStandardPortMayBeLeftOut() {
        let rules = WebGuard(port: 80, token: Self.token, pageKey: Self.pageKey, key: nil)
        let question = WebGuard.Question(method: "GET", path: "/", hosts: ["127.0.0.1"])
        #expect(rules.verdict(on: question) == .allowed)
    }

    @Test func everyValueOfEveryFieldIsSeen() throws {
        var request = HTTPRequest(
            method: .post, scheme: "http", authority: "localhost:4655", path: "/v1/x?q=/open/")
        for (name, value) in [
            ("Host", "evil.example"), ("Origin", "a"), ("Origin", "b"), ("Sec-Fetch-Site", "none"),
            ("Sec-Fetch-Mode", "cors"), ("Content-Type", "t"), ("Cookie", "c=1"), ("Cookie", "d=2"),
            ("Authorization", "Bearer k"),
        ] {
            request.headerFields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        let question = WebGuard.Question(request)
        #expect(question.hosts == ["localhost:4655", "evil.example"] && question.path == "/v1/x")
        #expect(question.origins == ["a", "b"] && question.cookies == ["c=1", "d=2"])
        #expect(question.hasFetchMetadata && question.fetchSites == ["none"])
        #expect(question.contentTypes == ["t"] && question.authorizations == ["Bearer k"])
    }

    @Test func aLinkIsGoodOnceAndForAMinute() {
        let clock = ManualInstant()
        let links = EntryLinks(now: { clock.now })
        let (one, other) = (links.make(), links.make())
        #expect(one != other && one.count == 64)
        #expect(!links.redeem("guess") && links.redeem(one) && !links.redeem(one))
        clock.advance(by: EntryLinks.lifetime)
        #expect(!links.redeem(other))
        let first = links.make()
        for _ in 0..<EntryLinks.limit { _ = links.make() }
        #expect(!links.redeem(first))
    }
}
