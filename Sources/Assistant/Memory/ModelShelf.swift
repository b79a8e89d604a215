import AssistantAPI
import Llama
import StableDiffusion
import Tensors

/// The models in memory that neither answer nor paint now, and those on their way there.
struct ModelShelf {
    /// A model that is being loaded.
    struct Arrival {
        var residence: Residence
        var model: ModelFile
        /// Of its weights.
        var bytes: Int
    }

    /// How long models stay, where a request does not say.
    let keepAlive: KeepAlive
    /// Names of models that stay once they are there.
    private(set) var pinned: Set<String>
    var models: [ResidentModel] = []
    var painters: [ResidentPainter] = []
    var arrivals: [Arrival] = []
    /// Models for which work is about to begin, by number.
    var beginning: Set<Int> = []
    /// What pictures on their way may take, by the kind of work.
    var taken: [EngineWork: Int] = [:]
    /// When the next idle model goes.
    var alarm: (time: Duration, task: Task<Void, Never>)?
    private var lastNumber = 0

    init(keepAlive: KeepAlive, pinned: [String]) {
        self.keepAlive = keepAlive
        self.pinned = Set(pinned.map { $0.lowercased() })
    }

    func isPinned(_ model: ModelFile) -> Bool { pinned.contains(model.name.lowercased()) }

    mutating func pin(_ model: ModelFile, _ isPinned: Bool) {
        if isPinned { pinned.insert(model.name.lowercased()) } else { pinned.remove(model.name.lowercased()) }
    }

    /// The stay of the next model that is loaded.
    mutating func makeResidence(_ asked: KeepAlive?, at now: Duration) -> Residence {
        lastNumber += 1
        return Residence(number: lastNumber, keepAlive: asked ?? keepAlive, at: now)
    }
}

/// The kinds of work that have scratch memory of their own.
enum EngineWork: String, Sendable, CaseIterable {
    case answers, pictures, refinements, drafts
}

extension EngineOperations {
    func operations(of work: EngineWork) -> Operations {
        switch work {
        case .answers: answers
        case .pictures: pictures
        case .refinements: refinements
        case .drafts: drafts
        }
    }
}

extension FrameEngine.Request.Rank {
    var work: EngineWork { self == .draft ? .drafts : .refinements }
}

extension KeepAlive {
    /// As the configuration has it: `nil` is for ever.
    init(_ duration: Duration?) {
        self = duration.map { .seconds($0.milliseconds / 1000) } ?? .forever
    }
}

extension ResidentModel {
    /// What is held for it; `running` bytes of that by answers on their way.
    func holdings(isInUse: Bool, isPinned: Bool, running: Int) -> [MemoryLedger.Holding] {
        let owner = MemoryLedger.Owner.model(residence.number)
        return [
            .init(
                owner: owner, kind: .weights, bytes: model.byteCount, isInUse: isInUse,
                lastUse: residence.lastUse, expiry: residence.expiry, isPinned: isPinned),
            .init(owner: owner, kind: .attentionCaches, bytes: running, isInUse: true),
            .init(owner: owner, kind: .prefixCaches, bytes: caches.bytes, lastUse: residence.lastUse),
        ]
    }
}

extension ResidentPainter {
    /// What is held for it.
    func holdings(isInUse: Bool, isPinned: Bool) -> [MemoryLedger.Holding] {
        let owner = MemoryLedger.Owner.model(residence.number)
        return [
            .init(
                owner: owner, kind: .weights, bytes: painter.info.byteCount, isInUse: isInUse,
                lastUse: residence.lastUse, expiry: residence.expiry, isPinned: isPinned),
            .init(owner: owner, kind: .renders, bytes: painter.keptBytes(), lastUse: residence.lastUse),
        ]
    }
}
