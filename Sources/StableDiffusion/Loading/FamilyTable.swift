import StrictJSON

/// What is usual in each family of models and isn't in a single file: Assets/family-configurations.json.
struct FamilyTable: Sendable {
    /// One family's row.
    struct Family: Sendable {
        fileprivate let row: ConfigFile

        /// diffusers' name of the pipeline.
        var pipeline: String {
            get throws { try row.optionalString("pipeline") ?? "StableDiffusionPipeline" }
        }

        /// What the network gives unless something says otherwise.
        var prediction: Prediction {
            get throws {
                guard let name = try row.optionalString("prediction"), let known = Prediction(rawValue: name)
                else { throw row.invalid("prediction", "a prediction type") }
                return known
            }
        }

        /// Height and width of the latents that networks of this prediction were trained with.
        func sampleSize(_ prediction: Prediction) throws -> JSONValue {
            let sizes = row.value("sample_sizes")
            return sizes?[prediction.rawValue] ?? sizes?.object?.members.first?.value ?? .integer(64)
        }

        /// Settings of the network that its tensors don't show; `head_size` stands for a number of heads by level.
        var network: ConfigFile { member("network") }

        var autoencoder: ConfigFile { member("autoencoder") }

        /// For each text encoder: `pad`, `head_size`, `unused_layers` at its end, and `config`.
        var texts: [ConfigFile] {
            get throws {
                try row.optionalArray("texts")?.map { ConfigFile($0, path: row.path) } ?? []
            }
        }

        /// The scheduler's configuration: `usual`, or that of models distilled to few steps (`turbo`, `lcm`).
        func scheduler(_ name: String) throws -> ConfigFile {
            guard let scheduler = row.value("schedulers")?[name] else {
                throw row.invalid("schedulers", "a scheduler \(quoted(name))")
            }
            return ConfigFile(scheduler, path: row.path)
        }

        private func member(_ key: String) -> ConfigFile {
            ConfigFile(row.value(key) ?? .object(JSONObject()), path: row.path)
        }
    }

    private let json: JSONValue
    private let path: String

    /// The families in `json`, read from `path`.
    init(_ json: JSONValue, path: String) {
        self.json = json
        self.path = path
    }

    /// The published models'.
    static func standard() throws -> FamilyTable {
        let name = "family-configurations.json"
        do {
            return FamilyTable(try JSONValue(parsing: Asset.familyConfigurations), path: name)
        } catch {
            throw StableDiffusionError.invalidConfiguration(
                file: name, key: "the whole file", expected: "JSON", found: "\(error)")
        }
    }

    subscript(family: ModelFamily) -> Family {
        get throws {
            guard let row = json[family.rawValue], row.object != nil else {
                throw StableDiffusionError.invalidConfiguration(
                    file: path, key: family.rawValue, expected: "an object", found: "nothing")
            }
            return Family(row: ConfigFile(row, path: path))
        }
    }
}

extension ConfigFile {
    /// The same file with other members, of which each takes the place of one of its name.
    func with(_ members: [(name: String, value: JSONValue)], path: String? = nil) -> ConfigFile {
        ConfigFile(.object(JSONObject((json.object?.members ?? []) + members)), path: path ?? self.path)
    }
}
