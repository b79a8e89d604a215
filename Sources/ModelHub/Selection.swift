/// What of a repository is had, and where each file goes among the models.
struct Selection: Sendable, Equatable {
    struct Item: Sendable, Equatable {
        var file: HubFile
        /// Below the folder of models.
        var target: String
    }

    /// The name that the model will have; of a LoRA, by which requests for pictures ask for it.
    var name: String
    /// Where it lies below the folder of models: a directory, or a file (of a split one the first).
    var target: String
    var items: [Item]

    var bytes: Int { items.reduce(0) { $0 + $1.file.bytes } }

    /// A directory that has these files, which lie in the repository as they will in it.
    init(directory name: String, _ files: [HubFile]) {
        self.name = name
        target = name
        items = files.map { Item(file: $0, target: "\(name)/\($0.path)") }
    }

    /// A GGUF file, or the parts of one in their order; `name` is without the ending.
    init(gguf parts: [HubFile], name: String) {
        self.name = name
        items = parts.enumerated().map { index, file in
            let number = parts.count > 1 ? "-\(Self.padded(index + 1))-of-\(Self.padded(parts.count))" : ""
            return Item(file: file, target: "\(name)\(number).gguf")
        }
        target = items.first?.target ?? name
    }

    /// A checkpoint or LoRA of its own; `name` is without the ending.
    init(safetensors file: HubFile, name: String, isLoRA: Bool) {
        self.name = name
        target = (isLoRA ? "loras/" : "") + name + ".safetensors"
        items = [Item(file: file, target: target)]
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
    }
}

/// The files that a repository's listing has, and which of them make a model.
struct RepositoryFiles: Sendable {
    /// As `owner/name`.
    let repository: String
    let files: [HubFile]

    /// - Throws: `noFile`, `nothingToUse` with what there is.
    func select(_ choice: HubReference.Choice, name: String?) throws(HubError) -> Selection {
        switch choice {
        case .quantization(let type):
            let file = try GGUFFiles(self).file(ofType: type)
            return Selection(gguf: file.parts, name: name ?? file.name)
        case .file(let path): return try single(path, name: name)
        case .whole:
            let directory = name ?? String(repository.drop { $0 != "/" }.dropFirst())
            if has("model_index.json") { return Selection(directory: directory, try diffusers()) }
            let gguf = GGUFFiles(self)
            if !gguf.all.isEmpty {
                let file = try gguf.preferred()
                return Selection(gguf: file.parts, name: name ?? file.name)
            }
            if let files = transformers() ?? tinyDecoder() { return Selection(directory: directory, files) }
            return try lonely(directory)
        }
    }

    func nothing(_ why: String) -> HubError { .nothingToUse(repository: repository, why: why) }

    private func has(_ path: String) -> Bool { files.contains { $0.path == path } }

    private func root(_ matches: (Substring) -> Bool) -> [HubFile] {
        files.filter { $0.folder.isEmpty && matches($0.name) }
    }

    // MARK: - One file

    private func single(_ path: String, name: String?) throws(HubError) -> Selection {
        guard let file = files.first(where: { $0.path == path }) else {
            let inside = RepositoryFiles(
                repository: repository, files: files.filter { $0.path.hasPrefix(path + "/") })
            let gguf = GGUFFiles(inside)
            if !gguf.all.isEmpty {
                let file = try gguf.preferred()
                return Selection(gguf: file.parts, name: name ?? file.name)
            }
            throw .noFile(
                path, repository: repository, there: files.map(\.path).filter(Self.isModelFile).sorted())
        }
        if path.hasSuffix(".gguf") {
            let whole = try GGUFFiles(self).file(with: file)
            return Selection(gguf: whole.parts, name: name ?? whole.name)
        }
        guard path.hasSuffix(".safetensors") else {
            throw nothing("\(path) is neither a .gguf nor a .safetensors file")
        }
        let stem = String(file.name.dropLast(".safetensors".count))
        return Selection(safetensors: file, name: name ?? stem, isLoRA: isLoRA(file))
    }

    private func isLoRA(_ file: HubFile) -> Bool {
        [file.path, repository].contains { $0.lowercased().contains("lora") }
    }

    /// A repository of one file of weights.
    private func lonely(_ name: String) throws(HubError) -> Selection {
        let weights = root { $0.hasSuffix(".safetensors") }
        let lora = weights.filter { $0.name == "pytorch_lora_weights.safetensors" }
        if let file = lora.first ?? (weights.count == 1 ? weights.first : nil) {
            return Selection(safetensors: file, name: name, isLoRA: isLoRA(file))
        }
        let there = files.map(\.path).filter(Self.isModelFile).sorted()
        if !there.isEmpty {
            throw nothing("name one of its files, \(there.prefix(20).joined(separator: ", "))")
        }
        let others = [".bin", ".ckpt", ".pth", ".pt", ".msgpack", ".onnx"].filter { ending in
            files.contains { $0.path.hasSuffix(ending) }
        }
        throw nothing(
            others.isEmpty
                ? "it has no weights"
                : "its weights are \(others.joined(separator: " and ")) files, which are not read")
    }

    private static func isModelFile(_ path: String) -> Bool {
        path.hasSuffix(".gguf") || path.hasSuffix(".safetensors")
    }

    // MARK: - Directories

    /// The files of a Hugging Face directory of a language model; `nil` where it is none.
    private func transformers() -> [HubFile]? {
        guard has("config.json"), let weights = Self.weights(root { _ in true }, stem: "model"),
            weights.variant == nil
        else { return nil }
        let names: Set<Substring> = [
            "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
            "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
            "chat_template.jinja", "chat_template.json",
        ]
        return root { names.contains($0) } + weights.files
    }

    /// A tiny autoencoder, or another part of a diffusers model, alone in a repository.
    private func tinyDecoder() -> [HubFile]? {
        guard has("config.json"),
            let weights = Self.weights(root { _ in true }, stem: "diffusion_pytorch_model"),
            weights.variant == nil
        else { return nil }
        return root { $0 == "config.json" } + weights.files
    }

    /// What a pipeline needs of a diffusers repository: of each part its configuration, and its weights once, in half
    /// precision where there are such.
    private func diffusers() throws(HubError) -> [HubFile] {
        var chosen = root { $0 == "model_index.json" }
        let networks = [
            "unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model",
            "text_encoder_2": "model",
        ]
        for part in ["scheduler", "tokenizer", "tokenizer_2"] {
            chosen += files.filter { $0.folder == part && Self.isConfiguration($0.name) }
        }
        for (part, stem) in networks.sorted(by: { $0.key < $1.key }) {
            let inside = files.filter { $0.folder == part }
            guard !inside.isEmpty else { continue }
            guard let weights = Self.weights(inside, stem: stem) else {
                throw nothing("its \(part) has no .safetensors file")
            }
            chosen += inside.filter { $0.name == "config.json" } + weights.files
        }
        return chosen
    }

    private static func isConfiguration(_ name: Substring) -> Bool {
        (name.hasSuffix(".json") || name.hasSuffix(".txt")) && !name.contains(".index.")
    }

    /// The weights of one network in one folder, whole or in shards, in half precision before others; `nil` for none.
    static func weights(_ files: [HubFile], stem: String) -> (files: [HubFile], variant: String?)? {
        for variant in ["fp16", nil] {
            let dotted = variant.map { "." + $0 } ?? ""
            if let whole = files.first(where: { $0.name == "\(stem)\(dotted).safetensors" }) {
                return ([whole], variant)
            }
            guard let index = files.first(where: { $0.name == "\(stem).safetensors.index\(dotted).json" })
            else { continue }
            let shards = files.filter { $0.name.hasSuffix(".safetensors") && isShard($0.name, stem, variant) }
            if !shards.isEmpty { return ([index] + shards.sorted { $0.path < $1.path }, variant) }
        }
        return nil
    }

    /// Whether a file is `stem-00001-of-00002`, with the variant before or behind the number.
    private static func isShard(_ name: Substring, _ stem: String, _ variant: String?) -> Bool {
        guard name.hasPrefix(stem) else { return false }
        var rest = name.dropFirst(stem.count).dropLast(".safetensors".count)
        if let variant {
            let dotted = "." + variant
            if rest.hasPrefix(dotted) {
                rest = rest.dropFirst(dotted.count)
            } else if rest.hasSuffix(dotted) {
                rest = rest.dropLast(dotted.count)
            } else {
                return false
            }
        }
        return SplitName(stem: rest).map { $0.base.isEmpty } ?? false
    }
}
