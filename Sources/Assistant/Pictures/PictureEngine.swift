import AssistantAPI
import StableDiffusion
import Synchronization

/// What the pictures' service needs of the engine, as a plain function, so that it can be tested without one.
struct PictureEngine: Sendable {
    /// Pictures on their way.
    struct Running: Sendable {
        var events: AsyncThrowingStream<PaintingEvent, any Error>
        /// The recipe of a picture that was begun.
        var recipe: @Sendable (PictureOutline) -> Recipe
        /// Stops them; the events end with a `completed` whose finish is `cancelled`.
        var cancel: @Sendable () -> Void
    }

    /// Checks a request and puts it into the line.
    var start: @Sendable (PictureRequest, _ lane: String) throws(AssistantError) -> Running
}

/// The way of every request for pictures to the engine: names become files, settings are checked.
final class PictureCore: Sendable {
    fileprivate let catalog: ModelCatalog
    let engine: Engine
    fileprivate let source: PainterSource
    private let infos = Mutex<[ModelFile: (stamp: FileStamp, info: DiffusionModelInfo)]>([:])
    private let lastID = Atomic<UInt64>(0)

    init(catalog: ModelCatalog, engine: Engine, source: PainterSource) {
        self.catalog = catalog
        self.engine = engine
        self.source = source
    }

    var pictureEngine: PictureEngine {
        PictureEngine { request, lane throws(AssistantError) in try self.start(request, lane: lane) }
    }

    /// What a model's files say of it, read once for each state of them.
    func info(of model: ModelFile) throws -> DiffusionModelInfo {
        let stamp = FileStamp(model.path)
        if let known = infos.withLock({ $0[model] }), known.stamp == stamp { return known.info }
        let info = try source.inspect(model.path, LoadOptions())
        infos.withLock { infos in
            // Absolute paths come from clients: what is kept must not grow with them.
            if infos.count >= 256 { infos = [:] }
            infos[model] = (stamp, info)
        }
        return info
    }

    /// A request with its names found and its ranges checked, and what the user should know of it.
    ///
    /// - Throws: `modelNotFound`, `modelUnusable`, `invalidRequest` naming the field.
    func plan(
        _ request: PictureRequest, start: StartPicture? = nil, onlyLoads: Bool = false
    ) throws(AssistantError) -> (plan: PicturePlan, notice: Notice?) {
        let model = try catalog.resolve(request.model, kind: .picture)
        let info = try checkedInfo(of: model)
        let (tinyDecoder, notice) = tinyDecoder(for: model, info)
        let plan = try PicturePlan(
            request, model: model, info: info, tinyDecoder: tinyDecoder, catalog: catalog, start: start,
            seed: UInt64(UInt32.random(in: .min ... .max)), onlyLoads: onlyLoads)
        return (plan, notice)
    }

    func checkedInfo(of model: ModelFile) throws(AssistantError) -> DiffusionModelInfo {
        do {
            return try info(of: model)
        } catch let error as StableDiffusionError {
            throw AssistantError(error, of: model)
        } catch {
            throw .modelUnusable(model, error)
        }
    }

    /// A number for the next request.
    func makeID() -> UInt64 { lastID.add(1, ordering: .relaxed).newValue }

    /// Checks a request and puts it into the line; with `onlyLoads` it ends once its model is in memory.
    func start(
        _ request: PictureRequest, lane: String, onlyLoads: Bool = false
    ) throws(AssistantError) -> PictureEngine.Running {
        let (plan, notice) = try plan(request, onlyLoads: onlyLoads)
        let (events, continuation) = AsyncThrowingStream.makeStream(of: PaintingEvent.self)
        let job = PictureJob(
            id: makeID(), lane: lane, plan: plan,
            continuation: continuation)
        let gate = engine.gate
        continuation.onTermination = { reason in
            if case .cancelled = reason { gate.cancel(job) }
        }
        if let notice { job.send(.notice(notice)) }
        try engine.submit(job)
        return PictureEngine.Running(events: events, recipe: { plan.recipe($0) }) { gate.cancel(job) }
    }
}

extension PictureCore {
    /// The tiny decoder that lies beside the models for those of this family, if the model has none itself.
    ///
    /// One that doesn't fit is left out, which the notice tells.
    fileprivate func tinyDecoder(
        for model: ModelFile, _ info: DiffusionModelInfo
    ) -> (path: String?, notice: Notice?) {
        let name = info.family == .stableDiffusionXL ? "taesdxl" : "taesd"
        guard !info.decoders.contains(.tiny), let path = catalog.tinyDecoder(name) else { return (nil, nil) }
        var options = LoadOptions()
        options.tinyDecoder = path
        do {
            _ = try source.inspect(model.path, options)
            return (path, nil)
        } catch {
            return (
                nil,
                Notice(
                    code: "model_warning",
                    message: "The tiny decoder \(name) is left out: \(error)")
            )
        }
    }
}

extension ModelSummary.PictureDetails {
    init(_ info: DiffusionModelInfo) {
        self.init(
            family: info.family.rawValue, parameterCount: info.parameterCount, width: info.defaultWidth,
            height: info.defaultHeight, factor: info.factor, scheduler: info.scheduler.rawValue,
            prediction: info.prediction.rawValue, decoders: info.decoders.map(\.rawValue))
    }
}
