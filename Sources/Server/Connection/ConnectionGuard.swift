import Glibc
import NIOCore

/// First in the pipeline: admits the peer, runs the clocks, and sees the client leave.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let connection: Connection
    private let admits: @Sendable (PeerCredentials?) -> Bool
    private var isAdmitted = false
    private var wantsRead = false
    private var pendingBytes = 0
    private var bufferedAtLastCheck = 0
    private var scheduled: (task: Scheduled<Void>, deadline: NIODeadline)?
    private var context: ChannelHandlerContext?
    private(set) var timeouts: ConnectionTimeouts

    init(
        connection: Connection, limits: ConnectionLimits,
        admits: @escaping @Sendable (PeerCredentials?) -> Bool
    ) {
        self.connection = connection
        self.admits = admits
        timeouts = ConnectionTimeouts(limits: limits, now: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        scheduled?.task.cancel()
    }

    /// Lets the clocks be moved by the handler that sees whole requests and responses.
    func update(_ change: (inout ConnectionTimeouts, NIODeadline) -> Void) {
        change(&timeouts, .now())
        reschedule()
    }

    // MARK: - Admission: nothing is read from a peer that is not ours

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        PeerCredentials.read(from: context.channel).whenComplete { result in
            let (handler, context) = bound.value
            handler.decide(try? result.get(), context: context)
        }
    }

    private func decide(_ peer: PeerCredentials?, context: ChannelHandlerContext) {
        guard admits(peer) else {
            context.close(promise: nil)
            return
        }
        isAdmitted = true
        connection.client = peer.map { String($0.pid) } ?? ""
        context.fireChannelActive()
        reschedule()
        if wantsRead { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        if isAdmitted { context.read() } else { wantsRead = true }
    }

    // MARK: - What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        update { $0.received(byteCount: unwrapInboundIn(data).readableBytes, at: $1) }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { connection.clientLeft() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        scheduled?.task.cancel()
        scheduled = nil
        connection.clientLeft()
        context.fireChannelInactive()
    }

    // MARK: - What goes out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let count = unwrapOutboundIn(data).readableBytes
        pendingBytes += count
        update { $0.wrote(pending: true, progressed: false, at: $1) }
        let promise = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in bound.value.taken(count) }
        context.write(data, promise: promise)
    }

    private func taken(_ count: Int) {
        pendingBytes -= count
        update { [pendingBytes] in $0.wrote(pending: pendingBytes > 0, progressed: true, at: $1) }
    }

    // MARK: - Clocks

    private func reschedule() {
        guard let context, isAdmitted, context.channel.isActive, let deadline = timeouts.deadline else {
            return
        }
        if let scheduled {
            // A timer that rings too early only looks again; so a later deadline needs no new one.
            guard deadline < scheduled.deadline else { return }
            scheduled.task.cancel()
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleTask(deadline: deadline) { bound.value.rang() }
        scheduled = (task, deadline)
    }

    private func rang() {
        scheduled = nil
        guard let context else { return }
        noteProgressInsideOneWrite(context.channel)
        let now = NIODeadline.now()
        if let deadline = timeouts.deadline, deadline <= now {
            context.close(promise: nil)
        } else {
            reschedule()
        }
    }

    /// A large write completes as a whole, so how much of it is left tells whether the client still reads.
    private func noteProgressInsideOneWrite(_ channel: any Channel) {
        guard let buffered = try? channel.syncOptions?.getOption(.bufferedWritableBytes) else { return }
        if buffered < bufferedAtLastCheck {
            timeouts.wrote(pending: pendingBytes > 0, progressed: true, at: .now())
        }
        bufferedAtLastCheck = buffered
    }
}
