import AssistantAPI
import Settings
import StableDiffusion
import Tensors

/// A picture model in memory, and by what it is recognised.
struct ResidentPainter {
    let file: ModelFile
    let options: LoadOptions
    let painter: Painter
    private let stamp: FileStamp

    init(file: ModelFile, options: LoadOptions, painter: Painter) {
        self.file = file
        self.options = options
        self.painter = painter
        stamp = FileStamp(file.path)
    }

    /// The weights, and what renders left behind for the next ones, in bytes.
    var byteCount: Int { painter.info.byteCount + painter.keptBytes() }

    /// Whether it is what a request asks for, and its file still the one that was loaded.
    func serves(_ plan: PicturePlan) -> Bool { isModel(of: plan) && FileStamp(file.path) == stamp }

    /// Whether it is what a request asks for, whatever has become of its file.
    func isModel(of plan: PicturePlan) -> Bool { file == plan.model && options == plan.options }
}

/// Brings picture models into memory, as far as the memory goes.
struct PictureModelLoader: Sendable {
    private let limit: Int?
    private let source: PainterSource
    private let availableMemory: @Sendable () -> Int?

    init(
        _ configuration: Configuration.Picture, source: PainterSource,
        availableMemory: @escaping @Sendable () -> Int? = MachineLimits.availableMemory
    ) {
        limit = configuration.memory
        self.source = source
        self.availableMemory = availableMemory
    }

    /// Looks whether a model can be loaded at all, by its headers and size, once `bytes` of memory were freed.
    ///
    /// - Throws: `modelUnusable`, `outOfMemory` with figures.
    func check(_ plan: PicturePlan, freeing bytes: Int) throws(AssistantError) -> DiffusionModelInfo {
        let info: DiffusionModelInfo
        do {
            info = try source.inspect(plan.model.path, plan.options)
        } catch {
            throw Self.wrapped(error, plan.model)
        }
        let available = [availableMemory().map { $0 + bytes }, limit].compactMap(\.self).min()
        if let available, info.byteCount > available {
            throw AssistantError(
                .outOfMemory,
                "The model \(plan.model.name) needs \(Self.mebibytes(info.byteCount)) for its weights alone, "
                    + "but only \(Self.mebibytes(max(0, available))) of memory are available.",
                parameter: "model")
        }
        return info
    }

    /// Loads the model that a request asks for and reports the progress to it.
    ///
    /// - Throws: `modelUnusable`, `cancelled`.
    func load(
        for job: some PaintingJob, operations: Operations, checkpoint: @escaping InterruptionCheck
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
            return ResidentPainter(file: job.model, options: job.plan.options, painter: painter)
        } catch is Interrupted {
            throw AssistantError(.cancelled, "The request was cancelled while its model was loaded.")
        } catch {
            throw Self.wrapped(error, job.model)
        }
    }

    /// What a picture may take now, beside a loaded model's weights.
    func limits(beside model: ResidentPainter) -> RenderLimits {
        let rest = limit.map { max(0, $0 - model.byteCount) }
        return RenderLimits(memory: [availableMemory(), rest].compactMap(\.self).min())
    }

    private static func wrapped(_ error: any Error, _ model: ModelFile) -> AssistantError {
        if let error = error as? StableDiffusionError { return AssistantError(error, of: model) }
        return .modelUnusable(model, error)
    }

    private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
