import AssistantAPI
import FoundationEssentials
import Synchronization

/// Pictures that are in no history, kept in memory for a while: private ones, and those that could not be saved.
final class RecentPictures: Sendable {
    typealias Kept = (picture: Picture, data: Data)

    static let lifetime = Duration.seconds(600)
    /// The files of all of them together.
    static let byteLimit = 64 << 20

    private struct State {
        /// The oldest first.
        var pictures: [Kept] = []

        mutating func remove(_ id: Picture.ID) -> Kept? {
            pictures.firstIndex { $0.picture.id == id }.map { pictures.remove(at: $0) }
        }

        var byteCount: Int { pictures.reduce(0) { $0 + $1.data.count } }
    }

    private let state = Mutex(State())
    private let clock: any Clock<Duration>
    private let expiries = Erasures()

    init(clock: any Clock<Duration>) { self.clock = clock }

    /// Keeps a picture until its time is over; the oldest go before when they take too much memory.
    func keep(_ picture: Picture, _ data: Data) {
        state.withLock { state in
            state.pictures.append((picture, data))
            while state.byteCount > Self.byteLimit, state.pictures.count > 1 { state.pictures.removeFirst() }
        }
        expiries.run { [weak self, clock] in
            guard (try? await clock.sleep(for: Self.lifetime)) != nil else { return }
            _ = self?.remove(picture.id)
        }
    }

    func find(_ id: Picture.ID) -> Kept? {
        state.withLock { $0.pictures.first { $0.picture.id == id } }
    }

    func remove(_ id: Picture.ID) -> Kept? { state.withLock { $0.remove(id) } }
}
