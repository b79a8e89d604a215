import AssistantAPI
import Checkpoints
import Glibc
import Quantization
import Tensors

/// A request for a quantised model with its names found.
struct QuantizationJob: Sendable {
    private let source: ModelFile
    private let type: QuantizationType
    /// Where the new model will lie, and the name by which requests will ask for it.
    private let target: ModelFile

    /// - Throws: `invalidRequest` naming the field; `modelNotFound`.
    init(_ request: QuantizeRequest, catalog: ModelCatalog, models: String) throws(AssistantError) {
        let name = request.type ?? QuantizationType.q4KM.rawValue
        guard let type = QuantizationType(name: name) else {
            let types = QuantizationType.allCases.map(\.rawValue).joined(separator: ", ")
            throw AssistantError(
                .invalidRequest, "'type' must be one of \(types), not '\(name.prefix(80))'.",
                parameter: "type")
        }
        do throws(AssistantError) {
            source = try catalog.resolve(request.source)
        } catch {
            throw AssistantError(error.code, error.message, parameter: "source")
        }
        self.type = type
        target = try Self.target(request, source: source, type: type, models: models)
    }

    private static func target(
        _ request: QuantizeRequest, source: ModelFile, type: QuantizationType, models: String
    ) throws(AssistantError) -> ModelFile {
        if let output = request.output {
            guard request.name == nil else {
                throw AssistantError(
                    .invalidRequest, "'name' and 'output' both say where the model goes; give one of them.",
                    parameter: "name")
            }
            guard output.hasPrefix("/"), output.hasSuffix(".gguf"), !output.utf8.contains(0) else {
                throw AssistantError(
                    .invalidRequest, "'output' must be the absolute path of a file that ends with .gguf.",
                    parameter: "output")
            }
            return ModelFile(name: output, path: output)
        }
        let name = request.name ?? Self.name(of: source) + "-" + type.rawValue
        guard isPlain(name) else {
            throw AssistantError(
                .invalidRequest,
                "'name' must be a plain name of 1 to 200 letters, without slashes and not beginning with a dot.",
                parameter: "name")
        }
        return ModelFile(name: name, path: "\(models)/\(name).gguf")
    }

    /// The source's last name without its own type: `Llama-3.2-1B` of `/models/Llama-3.2-1B-F16.gguf`.
    private static func name(of source: ModelFile) -> String {
        let last = source.name.split(separator: "/").last.map(String.init) ?? source.name
        let stem = [".gguf", ".safetensors"].reduce(last) {
            $0.hasSuffix($1) ? String($0.dropLast($1.count)) : $0
        }
        let base = ModelCatalog.withoutQuantization(stem.lowercased()).count
        return String(stem.prefix(base))
    }

    private static func isPlain(_ name: String) -> Bool {
        (1...200).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.properties.generalCategory != .control }
    }

    // MARK: - Work

    /// Does the work on this thread and the pool's.
    ///
    /// - Throws: `modelUnusable`, `invalidRequest` for a file that is there, `diskFull`, `cancelled`.
    func run(
        on pool: WorkerPool, _ cancellation: Cancellation, _ send: (QuantizeEvent) -> Void
    ) throws(AssistantError) {
        do {
            let start = ContinuousClock.now
            if cancellation.isCancelled { throw Interrupted() }
            let quantizer = try Quantizer(source.path, to: type)
            send(
                .started(
                    .init(
                        type: type.rawValue, path: target.path, sourceBytes: quantizer.sourceBytes,
                        bytes: quantizer.fileSize)))
            var last = start
            try quantizer.write(
                to: target.path, pool: pool,
                progress: { progress in
                    guard ContinuousClock.now - last >= .milliseconds(50) else { return }
                    last = .now
                    send(.progress(.init(done: progress.done, total: progress.total)))
                },
                checkpoint: { () throws(Interrupted) in if cancellation.isCancelled { throw Interrupted() } })
            send(
                .completed(
                    .init(
                        model: target.name, path: target.path, type: type.rawValue,
                        sourceBytes: quantizer.sourceBytes, bytes: quantizer.fileSize,
                        milliseconds: (ContinuousClock.now - start).milliseconds)))
        } catch {
            throw refusal(error)
        }
    }

    private func refusal(_ error: any Error) -> AssistantError {
        switch error {
        case is Interrupted: AssistantError(.cancelled, "The request was cancelled.")
        case QuantizationError.notEnoughSpace: AssistantError(.diskFull, "\(error)")
        case QuantizationError.exists, QuantizationError.cannotWrite:
            AssistantError(.invalidRequest, "\(error)", parameter: "output")
        default: .modelUnusable(source, error)
        }
    }
}
