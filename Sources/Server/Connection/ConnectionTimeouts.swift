import NIOCore

/// How long a client may take for each part of a request; what takes longer loses its connection.
struct ConnectionLimits: Sendable, Equatable {
    /// From a request's first byte to the end of its header.
    var header = TimeAmount.seconds(10)
    /// Between two pieces of a body.
    var bodyIdle = TimeAmount.seconds(10)
    /// Fewer bytes of a body each second than this, after `bodyIdle`, is too slow.
    var bodyBytesPerSecond = 1024
    /// Between two requests.
    var keepAlive = TimeAmount.seconds(60)
    /// Without a byte of a waiting response being taken.
    var writeStall = TimeAmount.seconds(10)
    var headerBytes = 16 * 1024
    var headerFields = 64
    var connections = 1024
}

/// The state of a connection's clocks: what the client owes next, and until when.
struct ConnectionTimeouts {
    /// What the client is sending.
    private enum Reading {
        case nothing
        case header(since: NIODeadline)
        case body(since: NIODeadline, last: NIODeadline, bytes: Int)
    }

    private let limits: ConnectionLimits
    private var reading = Reading.nothing
    private var requestsInProgress = 0
    private var idleSince: NIODeadline
    /// Since when written bytes have waited for the client to take some; `nil` while none wait.
    private var stalledSince: NIODeadline?

    init(limits: ConnectionLimits, now: NIODeadline) {
        self.limits = limits
        idleSince = now
    }

    var isIdle: Bool { requestsInProgress == 0 }

    mutating func received(byteCount: Int, at now: NIODeadline) {
        switch reading {
        case .nothing: reading = .header(since: now)
        case .header: break
        case .body(let since, _, let bytes):
            reading = .body(since: since, last: now, bytes: bytes + byteCount)
        }
    }

    mutating func headerEnded(at now: NIODeadline) {
        requestsInProgress += 1
        reading = .body(since: now, last: now, bytes: 0)
    }

    mutating func requestEnded() { reading = .nothing }

    mutating func responseEnded(at now: NIODeadline) {
        requestsInProgress = max(0, requestsInProgress - 1)
        idleSince = now
    }

    /// Bytes wait to be taken; `progressed` when some were taken since the last call.
    mutating func wrote(pending: Bool, progressed: Bool, at now: NIODeadline) {
        if !pending {
            stalledSince = nil
        } else if progressed || stalledSince == nil {
            stalledSince = now
        }
    }

    /// When the connection must be closed if nothing happens until then; `nil` while the next move is ours.
    var deadline: NIODeadline? {
        var deadlines: [NIODeadline] = []
        switch reading {
        case .nothing:
            if requestsInProgress == 0 { deadlines.append(idleSince + limits.keepAlive) }
        case .header(let since):
            deadlines.append(since + limits.header)
        case .body(let since, let last, let bytes):
            deadlines.append(last + limits.bodyIdle)
            let allowance = TimeAmount.seconds(Int64(bytes / max(1, limits.bodyBytesPerSecond)))
            deadlines.append(since + limits.bodyIdle + limits.bodyIdle + allowance)
        }
        if let stalledSince { deadlines.append(stalledSince + limits.writeStall) }
        return deadlines.min()
    }
}
