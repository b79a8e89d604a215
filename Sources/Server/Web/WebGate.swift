import HTTPTypes
import Hummingbird
import NIOCore

/// Stands before the routes on loopback: lets in what the guard allows, and arms every answer.
struct WebGate: Sendable {
    let rules: WebGuard
    let links: EntryLinks

    /// What the page may do: nothing but itself, its own requests, and pictures that it holds.
    static let contentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// The answer to a request that does not come to the routes; `nil` for one that does.
    func answer(to request: Request) -> Response? {
        switch rules.verdict(on: WebGuard.Question(request.head)) {
        case .allowed: nil
        case .entry(let code): links.redeem(code) ? enter() : Self.plain(.forbidden, Self.usedLink)
        case .refused(let refusal):
            Self.answer(refusal, isNavigation: request.wantsPage, ErrorShape(path: request.uri.path))
        }
    }

    /// Says to the browser what it must not do with an answer.
    func arm(_ response: inout Response) {
        for (name, value) in Self.armour { response.headers[name] = value }
    }

    /// Takes the person to the page, with the cookie that opens it, and in the fragment what it shows of itself.
    private func enter() -> Response {
        Response(
            status: .seeOther,
            headers: [
                .location: "/#\(rules.pageKey)", .cacheControl: "no-store",
                .setCookie: "\(rules.cookieName)=\(rules.token); Path=/; HttpOnly; SameSite=Strict",
            ])
    }

    private static func answer(
        _ refusal: WebGuard.Refusal, isNavigation: Bool, _ shape: ErrorShape
    ) -> Response {
        switch refusal {
        case .foreignHost:
            Failure(
                .misdirectedRequest, code: "foreign_host", "The Host must be a name of this machine's own."
            ).response(shape)
        case .preflight, .foreignOrigin:
            Failure(.forbidden, code: "foreign_origin", "Other pages get nothing here.").response(shape)
        case .contentType:
            Failure(
                .unsupportedMediaType, code: "unsupported_media_type",
                "A browser's body, and any where no key is asked for, must be JSON (Content-Type: application/json)."
            ).response(shape)
        case .noToken where isNavigation: plain(.unauthorized, noCookie)
        case .noToken:
            Failure(.unauthorized, code: "no_token", "The page must be opened by \"inkling open\".")
                .response(shape)
        case .noKey where isNavigation: plain(.unauthorized, noCookie)
        case .noKey:
            Failure(
                .unauthorized, code: "no_key",
                "Requests over loopback need the key that \"inklingd --listen\" prints, as a bearer token."
            ).response(shape)
        }
    }

    private static let noCookie = """
        Inkling's page is opened from a terminal:

            inkling open

        The link that this prints is good for once and lets this browser in until the daemon ends.

        """

    private static let usedLink = "This link was used, or has waited for too long. Run: inkling open\n"

    private static func plain(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private static let armour: [(HTTPField.Name, String)] = [
        ("Content-Security-Policy", contentPolicy), ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Referrer-Policy", "same-origin"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}

extension WebGuard.Question {
    init(_ request: HTTPRequest) {
        let path = request.path ?? "/"
        self.init(
            method: request.method.rawValue, path: String(path.prefix { $0 != "?" }),
            hosts: [request.authority].compactMap(\.self))
        for field in request.headerFields {
            switch field.name.canonicalName {
            // The first one is the authority; this is one too many.
            case "host": hosts.append(field.value)
            case "origin": origins.append(field.value)
            case "sec-fetch-site": fetchSites.append(field.value)
            case "content-type": contentTypes.append(field.value)
            case "cookie": cookies.append(field.value)
            case "authorization": authorizations.append(field.value)
            case let name where name.hasPrefix("sec-fetch-"): hasFetchMetadata = true
            default: break
            }
        }
    }
}

extension Request {
    /// Whether a person sees the answer as a page.
    var wantsPage: Bool { headers[.accept]?.contains("text/html") == true }
}
