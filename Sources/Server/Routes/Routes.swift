import Assistant
import HTTPTypes
import Hummingbird
import Logging

/// The paths that the daemon answers, and what they need.
struct Routes: Sendable {
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

    let assistant: Assistant
    /// Longest body, in bytes.
    let bodyLimit: Int
    /// Longest body that may carry pictures, in bytes.
    let pictureBodyLimit: Int
    let timing: StreamTiming
    /// Asks the daemon to end.
    let requestStop: @Sendable () -> Void
    /// The page's files, where there are any.
    let page: PageFiles?
    /// Opens the page's address, and makes a link to it.
    let openPage: @Sendable () throws -> String
    let requests = RequestCounters()

    func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self)
        router.add(middleware: FailureMiddleware(requests: requests))
        addHealth(to: router)
        addConversations(to: router)
        addModels(to: router)
        addPulls(to: router)
        addModelManagement(to: router)
        addChatCompletions(to: router)
        addResponses(to: router)
        addCompletions(to: router)
        addEmbeddings(to: router)
        addTokens(to: router)
        addLlamaServer(to: router)
        addPictures(to: router)
        addJobs(to: router)
        addImages(to: router)
        addCanvases(to: router)
        addMetrics(to: router)
        addPrompts(to: router)
        addPage(to: router)
        addOllama(to: router)
        addOllamaAnswers(to: router)
        addOllamaModels(to: router)
        addAutomatic1111(to: router)
        return router
    }
}

extension Router<ServerContext> {
    /// Registers a path with its methods; `HEAD` follows `GET`, and every other method answers 405.
    func resource(_ path: RouterPath, _ handlers: [HTTPRequest.Method: Routes.Handler]) {
        var handlers = handlers
        if let get = handlers[.get] {
            handlers[.head] = { try await get($0, $1).createHeadResponse() }
        }
        let allowed = handlers.keys.map(\.rawValue).sorted().joined(separator: ", ")
        for method: HTTPRequest.Method in [.get, .head, .post, .put, .patch, .delete, .options] {
            let handler =
                handlers[method] ?? { request, _ in
                    throw Failure(
                        .methodNotAllowed, code: "method_not_allowed",
                        "\(request.uri.path) has no \(request.method.rawValue); it has \(allowed).",
                        allowed: allowed)
                }
            on(path, method: method, use: handler)
        }
    }
}

/// Turns every error into the JSON that clients expect, and logs what is our own fault.
struct FailureMiddleware: RouterMiddleware {
    let requests: RequestCounters

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let shape = ErrorShape(path: request.uri.path)
        let response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            response = Self.unknownPath(request).response(shape)
        } catch {
            let failure = Failure(error)
            if failure.code == "internal_error" {
                context.logger.error(
                    "\(request.method.rawValue) \(context.endpointPath ?? "?") failed: \(error)")
            }
            response = failure.response(shape)
        }
        requests.count(request.method, context.endpointPath, response.status)
        // The route's pattern and never its text: paths and bodies can hold what people wrote.
        context.logger.debug(
            "\(request.method.rawValue) \(context.endpointPath ?? "?") \(response.status.code)",
            metadata: ["after": "\(ContinuousClock.now - start)"])
        return response
    }

    private static func unknownPath(_ request: Request) -> Failure {
        Failure(
            .notFound, code: "unknown_path",
            "There is nothing at \(request.uri.path). "
                + "Conversations and pictures are under /inkling/v1, OpenAI's API under /v1, Ollama's under /api."
        )
    }
}
