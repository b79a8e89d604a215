import AssistantAPI
import Settings
import StableDiffusion
import Tensors

/// A picture model in memory, and by what it is recognised.
struct ResidentPainter {
    let file: ModelFile
    let options: LoadOptions
    let painter: Painter
    var residence: Residence
    private let stamp: FileStamp

    init(file: ModelFile, options: LoadOptions, painter: Painter, residence: Residence) {
        self.file = file
        self.options = options
        self.painter = painter
        self.residence = residence
        stamp = FileStamp(file.path)
    }

    /// The weights, and what renders left behind for the next ones, in bytes.
    var byteCount: Int { painter.info.byteCount + painter.keptBytes() }

    /// Whether its file is still the one that was loaded.
    var isCurrent: Bool { FileStamp(file.path) == stamp }

    /// Whether it is what a request asks for, and its file still the one that was loaded.
    func serves(_ plan: PicturePlan) -> Bool { isModel(of: plan) && isCurrent }

    /// Whether it is what a request asks for, whatever has become of its file.
    func isModel(of plan: PicturePlan) -> Bool { file == plan.model && options == plan.options }
}

/// Brings picture models into memory, as far as the memory goes.
struct PictureModelLoader: Sendable {
    private let limit: Int?
    private let source: PainterSource

    init(_ configuration: Configuration.Picture, source: PainterSource) {
        limit = configuration.memory
        self.source = source
    }

    /// Looks whether a model can be loaded at all, by its headers and size.
    ///
    /// - Parameters:
    ///   - plan: What is asked for.
    ///   - available: What it could have if all that is idle went, in bytes.
    ///   - limit: What it could have if nothing were in use, in bytes.
    /// - Returns: What its files say of it.
    /// - Throws: `modelUnusable`, `outOfMemory` with figures.
    func check(
        _ plan: PicturePlan, available: Int, limit: Int
    ) throws(AssistantError) -> DiffusionModelInfo {
        let info: DiffusionModelInfo
        do {
            info = try source.inspect(plan.model.path, plan.options)
        } catch {
            throw Self.wrapped(error, plan.model)
        }
        let available = min(available, self.limit ?? .max)
        guard info.byteCount <= available else {
            let isTemporary = info.byteCount <= min(limit, self.limit ?? .max)
            throw AssistantError(
                .outOfMemory,
                "The model \(plan.model.name) needs \(info.byteCount.mebibytes) for its weights alone, "
                    + "but only \(available.mebibytes) of memory are available.",
                parameter: "model", retryAfter: isTemporary ? 30 : nil)
        }
        return info
    }

    /// Loads the model that a request asks for and reports the progress to it.
    ///
    /// - Throws: `modelUnusable`, `cancelled`.
    func load(
        for job: some PaintingJob, residence: Residence, operations: Operations,
        checkpoint: @escaping InterruptionCheck
    ) throws(AssistantError) -> ResidentPainter {
        job.sendLoading(fraction: 0)
        do {
            var last = ContinuousClock.now
            let painter = try source.load(
                job.model.path, job.plan.options, operations,
                { fraction in
                    guard ContinuousClock.now - last >= .milliseconds(100) else { return }
                    last = .now
                    job.sendLoading(fraction: fraction)
                }, checkpoint)
            job.sendLoading(fraction: 1)
            return ResidentPainter(
                file: job.model, options: job.plan.options, painter: painter, residence: residence)
        } catch is Interrupted {
            throw AssistantError(.cancelled, "The request was cancelled while its model was loaded.")
        } catch {
            throw Self.wrapped(error, job.model)
        }
    }

    /// What a picture may take beside a loaded model's weights, where so much could be had.
    func limits(beside model: ResidentPainter, available: Int) -> RenderLimits {
        RenderLimits(memory: min(available, limit.map { max(0, $0 - model.byteCount) } ?? .max))
    }

    private static func wrapped(_ error: any Error, _ model: ModelFile) -> AssistantError {
        if let error = error as? StableDiffusionError { return AssistantError(error, of: model) }
        return .modelUnusable(model, error)
    }
}
