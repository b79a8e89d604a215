import AssistantAPI
import Dispatch
import FoundationEssentials
import HubStandIn
import Synchronization

@testable import ModelHub

/// A folder that goes with the test.
struct TemporaryFolder: ~Copyable {
    let path = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A clock on which every pause is over at once.
struct HastyClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// Numbers that are the same in every run.
struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
    }
}

/// Pulls into a folder, as a daemon that was just started.
final class Puller {
    let folder: String
    let pulls: ModelPulls
    let records: ModelRecords

    init(
        _ folder: String, _ endpoint: String, token: String? = nil, piece: Int = 64 << 10,
        shortNames: [String: String] = [:], offline: Bool = false, freeBytes: Int? = nil
    ) {
        self.folder = folder
        var access = HubAccess()
        access.endpoint = endpoint
        access.token = token
        access.isOffline = offline
        records = ModelRecords(path: folder + "/models.json")
        var folders = PullFolders(models: folder + "/models", downloads: folder + "/cache")
        if let freeBytes { folders.freeBytes = { _ in freeBytes } }
        pulls = ModelPulls(
            access: access, folders: folders, records: records, shortNames: { shortNames[$0] },
            retrying: Retrying(clock: HastyClock()), division: .init(connections: 3, piece: piece))
    }

    struct Outcome {
        var events: [PullEvent] = []

        var completed: PullEvent.Completed? {
            if case .completed(let completed)? = events.last { completed } else { nil }
        }
        /// The bytes that were said to be here, one report after the other.
        var counts: [Int] {
            events.compactMap { if case .progress(let progress) = $0 { progress.completed } else { nil } }
        }
    }

    /// Pulls to the end, or until so many bytes are here.
    func pull(_ request: PullRequest, until limit: Int = .max) async throws -> Outcome {
        var outcome = Outcome()
        for try await event in pulls.pull(request) {
            outcome.events.append(event)
            if case .progress(let progress) = event, progress.completed >= limit { break }
        }
        return outcome
    }

    func pull(_ model: String) async throws -> Outcome { try await pull(PullRequest(model: model)) }

    /// A file among the models.
    func model(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(folder)/models/\(name)").map { Array($0) }
    }

    /// All names in the folder of models.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/models")) ?? []).sorted()
    }

    var downloads: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/cache")) ?? []).sorted()
    }
}

/// Holds threads up until it is opened.
final class Gate: Sendable {
    private let isOpen = Mutex(false)
    private let semaphore = DispatchSemaphore(value: 0)

    func pass() {
        if isOpen.withLock({ $0 }) { return }
        semaphore.wait()
        semaphore.signal()
    }

    func open() {
        isOpen.withLock { $0 = true }
        semaphore.signal()
    }
}

/// Counts what happens on several threads.
final class Counter: Sendable {
    private let count = Mutex(0)

    /// From 0.
    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}

/// Counts by name what happens on several threads.
final class Tally: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// From 0.
    func next(_ name: String) -> Int {
        counts.withLock { counts in
            defer { counts[name, default: 0] += 1 }
            return counts[name, default: 0]
        }
    }
}

/// What `body` throws; a test fails when it throws nothing, or something else.
func hubError(_ body: () async throws -> Void) async -> HubError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? HubError
    }
}

/// What a person is told of an error.
func sentence(_ error: HubError?) -> String { error.map { "\($0)" } ?? "" }
