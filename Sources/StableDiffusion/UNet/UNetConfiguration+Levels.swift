import StrictJSON

extension UNetConfiguration {
    /// The settings of all transformers, as the configuration spreads them over the levels.
    struct TransformerSettings {
        private let config: ConfigFile
        private let channels: [Int]
        private let layers: [Int]
        private let headCounts: [Int]
        private let onlyCrosses: [Bool]

        init(
            _ config: ConfigFile, channels: [Int], layers: [Int]
        ) throws(StableDiffusionError) {
            self.config = config
            self.channels = channels
            self.layers = layers
            // What is called attention_head_dim has always been the number of heads.
            let key = config.contains("num_attention_heads") ? "num_attention_heads" : "attention_head_dim"
            headCounts =
                try config.optionalIntPerLevel(key, count: channels.count, in: 1...1 << 10)
                ?? Array(repeating: 8, count: channels.count)
            onlyCrosses = try config.boolPerLevel(
                "only_cross_attention", count: channels.count, default: false)
        }

        func down(_ level: Int) throws(StableDiffusionError) -> Transformers {
            try transformers(
                level, depths: depths(listed("transformer_layers_per_block", level), layers[level]))
        }

        func up(_ level: Int) throws(StableDiffusionError) -> Transformers {
            let key = "reverse_transformer_layers_per_block"
            let mirrored = channels.count - 1 - level
            let count = layers[mirrored] + 1
            if config.contains(key) {
                return try transformers(mirrored, depths: depths(listed(key, level), count))
            }
            let value = try listed("transformer_layers_per_block", mirrored)
            guard value?.array == nil else {
                throw config.invalid(key, "a list, as transformer_layers_per_block has lists within it")
            }
            return try transformers(mirrored, depths: depths(value, count))
        }

        func middle() throws(StableDiffusionError) -> Transformers {
            let last = channels.count - 1
            let value = try listed("transformer_layers_per_block", last)
            let first = value?.array.map { $0.first ?? .null } ?? value
            let transformers = try transformers(last, depths: depths(first, 1))
            // The middle's transformers always look at the picture first.
            return Transformers(
                depths: transformers.depths, headCount: transformers.headCount, onlyCrosses: false)
        }

        private func transformers(
            _ level: Int, depths: [Int]
        ) throws(StableDiffusionError) -> Transformers {
            guard channels[level].isMultiple(of: headCounts[level]) else {
                throw config.invalid(
                    "attention_head_dim", "a number of heads that divides \(channels[level]) channels")
            }
            return Transformers(
                depths: depths, headCount: headCounts[level], onlyCrosses: onlyCrosses[level])
        }

        /// A level's value of a setting that is one for all levels or a list with one for each.
        private func listed(_ key: String, _ level: Int) throws(StableDiffusionError) -> JSONValue? {
            guard config.contains(key), let value = config.json[key] else { return nil }
            guard let list = value.array else { return value }
            guard list.count == channels.count else {
                throw config.invalid(key, "an integer, or a list of \(channels.count)")
            }
            return list[level]
        }

        /// The depth of each of `count` transformers; `value` has one for all or a list of as many.
        private func depths(_ value: JSONValue?, _ count: Int) throws(StableDiffusionError) -> [Int] {
            let values = value?.array ?? Array(repeating: value ?? .integer(1), count: count)
            let depths = values.compactMap { $0.int.flatMap { (0...128).contains($0) ? $0 : nil } }
            guard depths.count == count, values.count == count else {
                throw config.invalid("transformer_layers_per_block", "depths from 0 to 128 for each layer")
            }
            return depths
        }
    }

    /// Follows the channels down and up, as the network does.
    struct LevelPlan {
        let config: ConfigFile
        let channels: [Int]
        let layers: [Int]
        let groupCount: Int

        func down(_ transformers: TransformerSettings) throws(StableDiffusionError) -> [Level] {
            let hasAttention = try blocks(
                "down_block_types", plain: "DownBlock2D", attention: "CrossAttnDownBlock2D",
                default: [true, true, true, false])
            var levels: [Level] = []
            for level in channels.indices {
                let inputs = level == 0 ? channels[0] : channels[level - 1]
                for count in [inputs, channels[level]] { try requireGroups(count) }
                levels.append(
                    Level(
                        inputChannels: inputs, channels: channels[level], skipChannels: [],
                        layerCount: layers[level],
                        transformers: hasAttention[level] ? try transformers.down(level) : nil,
                        resamples: level < channels.count - 1))
            }
            return levels
        }

        func up(_ transformers: TransformerSettings) throws(StableDiffusionError) -> [Level] {
            let hasAttention = try blocks(
                "up_block_types", plain: "UpBlock2D", attention: "CrossAttnUpBlock2D",
                default: [false, true, true, true])
            var skips = [channels[0]]
            for level in channels.indices {
                skips += Array(repeating: channels[level], count: layers[level])
                if level < channels.count - 1 { skips.append(channels[level]) }
            }
            var levels: [Level] = []
            var inputs = channels[channels.count - 1]
            for level in channels.indices {
                let mirrored = channels.count - 1 - level
                let count = layers[mirrored] + 1
                let taken = Array(skips.suffix(count).reversed())
                skips.removeLast(taken.count)
                for (layer, skip) in taken.enumerated() {
                    try requireGroups(skip + (layer == 0 ? inputs : channels[mirrored]))
                }
                levels.append(
                    Level(
                        inputChannels: inputs, channels: channels[mirrored], skipChannels: taken,
                        layerCount: count,
                        transformers: hasAttention[level] ? try transformers.up(level) : nil,
                        resamples: level < channels.count - 1))
                inputs = channels[mirrored]
            }
            return levels
        }

        /// Which levels have transformers.
        private func blocks(
            _ key: String, plain: String, attention: String, default fallback: [Bool]
        ) throws(StableDiffusionError) -> [Bool] {
            let names =
                try config.optionalStrings(key)
                ?? fallback.map { hasAttention in
                    hasAttention ? attention : plain
                }
            if let other = names.first(where: { $0 != plain && $0 != attention }) {
                throw config.unsupported("the block \(quoted(other)) in \(key)")
            }
            guard names.count == channels.count else {
                throw config.invalid(key, "a list of \(channels.count) blocks, as block_out_channels has")
            }
            return names.map { $0 == attention }
        }

        private func requireGroups(_ count: Int) throws(StableDiffusionError) {
            guard count.isMultiple(of: groupCount) else {
                throw config.invalid("norm_num_groups", "a number of groups that divides \(count) channels")
            }
        }
    }
}
