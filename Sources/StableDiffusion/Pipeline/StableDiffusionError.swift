import StrictJSON

/// What can be wrong with a picture model's files, with what is asked of it, or with what it computes.
///
/// Damage of a file itself (headers, tensors, shapes) is a `CheckpointError`.
public enum StableDiffusionError: Error, Equatable, Sendable {
    /// The files hold something else than a latent diffusion model; `found` is their own word for it.
    case unsupportedModel(path: String, found: String)
    /// The model has a part or a setting that this engine doesn't have.
    case unsupportedFeature(path: String, feature: String)
    /// A part of the model isn't there; `expected` names what was looked for.
    case missingPart(path: String, part: String, expected: String)
    /// A setting of the model is missing, out of range, or contradicts another.
    case invalidConfiguration(file: String, key: String, expected: String, found: String)
    /// A setting of the request is out of range, or the model has no use for it.
    case invalidSetting(name: String, expected: String, found: String)
    /// A picture's size is no multiple of what the model can paint.
    case invalidSize(width: Int, height: Int, factor: Int)
    /// A picture has more pixels than the limit allows.
    case exceedsPixels(width: Int, height: Int, limit: Int)
    /// A render would take more memory than the limit allows, in bytes.
    case exceedsMemory(width: Int, height: Int, needed: Int, limit: Int)
    /// The latents hold NaN or infinity: damaged weights, or arithmetic that overflowed.
    case invalidNumbers
}

extension StableDiffusionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unsupportedModel(let path, let found):
            "\(quoted(path)) is no Stable Diffusion model that can be run: found \(found)."
        case .unsupportedFeature(let path, let feature):
            "\(quoted(path)): the model uses \(feature), which is not supported."
        case .missingPart(let path, let part, let expected):
            "\(quoted(path)) lacks a part of the model, the \(part) (\(expected))."
        case .invalidConfiguration(let file, let key, let expected, let found):
            "\(quoted(file)): \(quoted(key)): expected \(expected), found \(found)."
        case .invalidSetting(let name, let expected, let found):
            "\(name): expected \(expected), found \(found)."
        case .invalidSize(let width, let height, let factor):
            "A picture of \(width) × \(height) pixels can't be made: with this model width and height are "
                + "multiples of \(factor), for example \(Self.near(width, factor)) × \(Self.near(height, factor))."
        case .exceedsPixels(let width, let height, let limit):
            "A picture of \(width) × \(height) has \(Self.product(width, height)) pixels; "
                + "at most \(limit) are allowed."
        case .exceedsMemory(let width, let height, let needed, let limit):
            "A picture of \(width) × \(height) needs about \(Self.megabytes(needed)) MB of memory; "
                + "\(Self.megabytes(limit)) MB are allowed."
        case .invalidNumbers:
            "The model produced invalid numbers; its files may be damaged."
        }
    }

    /// The multiple of `factor` nearest to `length`, at least one; sizes beyond reason are brought into it first.
    private static func near(_ length: Int, _ factor: Int) -> Int {
        let length = min(max(length, 0), 1 << 20)
        return max(1, length / factor + (length % factor * 2 >= factor ? 1 : 0)) * factor
    }

    private static func product(_ width: Int, _ height: Int) -> String {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow ? "more than \(Int.max)" : "\(pixels)"
    }

    private static func megabytes(_ bytes: Int) -> Int { (bytes + 999_999) / 1_000_000 }
}
