import Synchronization

/// Whose turn it is in each conversation: one message is answered at a time, the next ones wait in order.
struct TurnTaking {
    enum Entry: Equatable {
        case now
        /// So many are before this one, the running one included.
        case waits(ahead: Int)
        case full
    }

    /// How many may wait in one conversation.
    let limit: Int
    /// The tickets of each busy conversation; the first one runs.
    private var tickets: [String: [UInt64]] = [:]

    init(limit: Int) { self.limit = limit }

    mutating func enter(_ conversation: String, ticket: UInt64) -> Entry {
        let ahead = tickets[conversation, default: []].count
        guard ahead <= limit else { return .full }
        tickets[conversation, default: []].append(ticket)
        return ahead == 0 ? .now : .waits(ahead: ahead)
    }

    /// Ends a turn or gives up a place; returns the ticket whose turn has come by that.
    mutating func leave(_ conversation: String, ticket: UInt64) -> UInt64? {
        guard var line = tickets[conversation], let place = line.firstIndex(of: ticket) else { return nil }
        line.remove(at: place)
        tickets[conversation] = line.isEmpty ? nil : line
        return place == 0 ? line.first : nil
    }

    func isBusy(_ conversation: String) -> Bool { tickets[conversation] != nil }

    /// How many are before a ticket; `nil` when it is not (or no longer) in line.
    func place(of ticket: UInt64, in conversation: String) -> Int? {
        tickets[conversation]?.firstIndex(of: ticket)
    }
}

/// Lets tasks wait for their turn in a conversation.
final class ConversationTurns: Sendable {
    private struct State {
        var turns: TurnTaking
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastTicket: UInt64 = 0
    }

    /// A turn that was asked for.
    struct Ticket: Sendable {
        let conversation: String
        fileprivate let number: UInt64
    }

    private let state: Mutex<State>

    init(limit: Int) { state = Mutex(State(turns: TurnTaking(limit: limit))) }

    /// Takes a ticket; `nil` when too many wait already.
    func enter(_ conversation: String) -> (ticket: Ticket, ahead: Int)? {
        state.withLock { state in
            state.lastTicket += 1
            let ticket = Ticket(conversation: conversation, number: state.lastTicket)
            switch state.turns.enter(conversation, ticket: ticket.number) {
            case .now: return (ticket, 0)
            case .waits(let ahead): return (ticket, ahead)
            case .full: return nil
            }
        }
    }

    /// Whether a message is being answered there, or waits to be.
    func isBusy(_ conversation: String) -> Bool { state.withLock { $0.turns.isBusy(conversation) } }

    /// Waits until it is the ticket's turn; false when it was given up meanwhile.
    func wait(_ ticket: Ticket, cancellation: Cancellation) async -> Bool {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Bool? in
                switch state.turns.place(of: ticket.number, in: ticket.conversation) {
                case nil: return false
                case 0: return true
                default:
                    state.waiting[ticket.number] = continuation
                    return nil
                }
            }
            if let ready { return continuation.resume(returning: ready) }
            cancellation.onCancel { self.leave(ticket) }
        }
    }

    /// Ends the turn (or the waiting for it) and lets the next one begin; done again it does nothing.
    func leave(_ ticket: Ticket) {
        let (own, next) = state.withLock { state in
            let own = state.waiting.removeValue(forKey: ticket.number)
            let next = state.turns.leave(ticket.conversation, ticket: ticket.number)
            return (own, next.flatMap { state.waiting.removeValue(forKey: $0) })
        }
        own?.resume(returning: false)
        next?.resume(returning: true)
    }
}
