public import AssistantAPI
import Synchronization

/// The pulls that are on their way: two of the same model share one download, which goes on as long as somebody waits
/// for it.
///
/// For example: `for try await event in pulls.pull(PullRequest(model: "owner/name:Q4_K_M")) { … }`.
public final class ModelPulls: Sendable {
    private let access: HubAccess
    private let folders: PullFolders
    private let records: ModelRecords
    private let shortNames: @Sendable (String) -> String?
    private let retrying: Retrying
    private let patience: HubTransport.Patience
    private let division: FileDownload.Division
    private let state = Mutex(State())

    private struct State {
        /// By the models' places.
        var running: [String: SharedPull] = [:]
        var isClosed = false
    }

    /// - Parameters:
    ///   - access: The daemon's own hub.
    ///   - models: The folder that models are put into.
    ///   - downloads: The folder of what is on its way.
    ///   - records: Where it is written down what came from where.
    ///   - shortNames: What a name of the catalogue stands for.
    public convenience init(
        access: HubAccess, models: String, downloads: String, records: ModelRecords,
        shortNames: @escaping @Sendable (String) -> String?
    ) {
        self.init(
            access: access, folders: PullFolders(models: models, downloads: downloads), records: records,
            shortNames: shortNames, retrying: Retrying())
    }

    init(
        access: HubAccess, folders: PullFolders, records: ModelRecords,
        shortNames: @escaping @Sendable (String) -> String? = { _ in nil }, retrying: Retrying,
        patience: HubTransport.Patience = .init(), division: FileDownload.Division = .init()
    ) {
        self.access = access
        self.folders = folders
        self.records = records
        self.shortNames = shortNames
        self.retrying = retrying
        self.patience = patience
        self.division = division
    }

    /// Pulls a model; the last event is `completed`.
    ///
    /// Whoever stops reading leaves; when nobody is left the download stops, and goes on from there the next time.
    ///
    /// - Returns: A stream whose errors are `HubError`s, or a `CancellationError`.
    public func pull(_ request: PullRequest) -> AsyncThrowingStream<PullEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: PullEvent.self)
        let task = Task {
            do {
                try await run(request, events)
                events.finish()
            } catch {
                events.finish(throwing: error)
            }
        }
        events.onTermination = { _ in task.cancel() }
        return stream
    }

    /// The name of the model that is being put to a place, if one is.
    public func isPulling(target: String) -> Bool { state.withLock { $0.running[target] != nil } }

    /// Stops all pulls and takes no more; returns when what came is kept.
    public func close() async {
        let running = state.withLock { state in
            state.isClosed = true
            return Array(state.running.values)
        }
        for pull in running { pull.stop() }
        for pull in running { await pull.ended() }
    }

    // MARK: - One request

    private func run(
        _ request: PullRequest, _ events: AsyncThrowingStream<PullEvent, any Error>.Continuation
    ) async throws {
        let access = access(for: request)
        let text = shortNames(request.model) ?? request.model
        guard let reference = HubReference(text) else { throw HubError.noReference(request.model) }
        if let name = request.name { try PullPlan.checkName(name) }
        if access.isOffline {
            guard let completed = offline(reference, request) else {
                throw HubError.offline(request.model)
            }
            events.yield(.completed(completed))
            return
        }
        let retrying = told(events)
        let plan = try await HubTransport.with(access, patience: patience) { transport in
            try await PullPlan.make(
                reference, askedBy: request.model, name: request.name,
                client: HubClient(transport: transport, retrying: retrying))
        }
        let pull = try await join(plan, access)
        for try await event in pull.subscribe() {
            events.yield(event)
        }
        try Task.checkCancellation()
    }

    /// The daemon's own access, or a request's; the daemon's token is for the daemon's hub.
    private func access(for request: PullRequest) -> HubAccess {
        var access = access
        if let endpoint = request.endpoint {
            access.setEndpoint(endpoint)
            if access.endpoint != self.access.endpoint { access.token = nil }
        }
        if let token = request.token { access.token = token }
        if let offline = request.offline { access.isOffline = offline || access.isOffline }
        return access
    }

    /// The same tries, with a notice before each pause.
    private func told(
        _ events: AsyncThrowingStream<PullEvent, any Error>.Continuation
    ) -> Retrying {
        var retrying = retrying
        retrying.onPause = { events.yield(.notice(Self.notice($0, $1))) }
        return retrying
    }

    private static func notice(_ error: HubError, _ pause: Duration) -> Notice {
        let seconds = max(1, pause.components.seconds)
        return Notice(code: "retrying", message: "\(error) Trying again in \(seconds) s.")
    }

    /// What was pulled by this reference and is here still.
    private func offline(_ reference: HubReference, _ request: PullRequest) -> PullEvent.Completed? {
        for text in [reference.description, request.model] {
            guard let target = records.target(pulledBy: text), let origin = records.origin(of: target) else {
                continue
            }
            let path = "\(folders.models)/\(target)"
            guard origin.files.allSatisfy({ WholeFile.size("\(folders.models)/\($0.path)") == $0.bytes })
            else {
                continue
            }
            return .init(
                name: ModelRecords.name(of: target), path: path,
                bytes: origin.files.reduce(0) { $0 + $1.bytes }, wasThere: true)
        }
        return nil
    }

    // MARK: - Sharing

    /// The pull of a plan: one that is on its way, or a new one.
    private func join(_ plan: PullPlan, _ access: HubAccess) async throws -> SharedPull {
        let place = plan.selection.target
        while true {
            let (pull, isNew) = try state.withLock { state throws(HubError) -> (SharedPull, Bool) in
                guard !state.isClosed else { throw .closing }
                if let pull = state.running[place] { return (pull, false) }
                let pull = SharedPull(plan)
                state.running[place] = pull
                return (pull, true)
            }
            if isNew {
                start(pull, plan, access)
                return pull
            }
            guard pull.plan.isSame(as: plan) else { throw HubError.busy(name: plan.selection.name) }
            if pull.isJoinable { return pull }
            await pull.ended()
        }
    }

    private func start(_ pull: SharedPull, _ plan: PullPlan, _ access: HubAccess) {
        let place = plan.selection.target
        pull.run {
            defer { self.state.withLock { _ = $0.running.removeValue(forKey: place) } }
            var retrying = self.retrying
            retrying.onPause = { pull.send(.notice(Self.notice($0, $1))) }
            return try await HubTransport.with(access, patience: self.patience) { [retrying] transport in
                try await PullWork(
                    plan: plan, folders: self.folders, records: self.records, transport: transport,
                    retrying: retrying, division: self.division, report: { pull.send($0) }
                ).run()
            }
        }
    }
}
