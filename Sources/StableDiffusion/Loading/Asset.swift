import CAssets

/// A file of Assets, compiled into the program.
enum Asset {
    /// CLIP's merges, a pair a line, best first.
    static var clipMerges: [UInt8] { bytes(ca_clip_merges()) }

    /// What is usual in each family of models, for files that bring no configuration.
    static var familyConfigurations: [UInt8] { bytes(ca_family_configurations()) }

    private static func bytes(_ asset: ca_asset) -> [UInt8] {
        Array(UnsafeBufferPointer(start: asset.bytes, count: asset.count))
    }
}
