import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Sees whole request and response parts: moves the guard's clocks, and answers what could not be parsed.
final class RequestObserver: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private static let linger = TimeAmount.seconds(2)

    private var guardian: ConnectionGuard?
    private var closesAfterResponse = false

    func handlerAdded(context: ChannelHandlerContext) {
        guardian = try? context.pipeline.syncOperations.handler(type: ConnectionGuard.self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: guardian?.update { $0.headerEnded(at: $1) }
        case .body: break
        case .end: guardian?.update { timeouts, _ in timeouts.requestEnded() }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.code >= 200:
            closesAfterResponse = head.headerFields[.connection] == "close"
        case .head, .body: break
        case .end:
            guardian?.update { $0.responseEnded(at: $1) }
            if closesAfterResponse {
                writeAndClose(data, context: context, promise: promise)
                return
            }
        }
        context.write(data, promise: promise)
    }

    /// Closes our side at once and the whole connection after a moment, in which the client may read.
    private func writeAndClose(
        _ data: NIOAny, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
    ) {
        let promise = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            let context = bound.value
            context.close(mode: .output, promise: nil)
            _ = context.eventLoop.scheduleTask(in: Self.linger) { bound.value.close(promise: nil) }
        }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, guardian?.timeouts.isIdle ?? true else {
            context.close(promise: nil)
            return
        }
        let failure =
            error == .headerOverflow
            ? Failure(
                .requestHeaderFieldsTooLarge, code: "header_too_large", "The request's header is too large.")
            : Failure(.badRequest, code: "bad_request", "This is not a valid HTTP/1.1 request.")
        var response = failure.response
        response.headers[.connection] = "close"
        var body = ByteBuffer()
        body.writeString(failure.json.text)
        context.write(wrapOutboundOut(.head(response.head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil)
        }
    }
}
