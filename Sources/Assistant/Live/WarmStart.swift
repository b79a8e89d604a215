import AssistantAPI
import Digest
import FoundationEssentials
import StableDiffusion
import Tensors

/// The frame before, from which one of nearly the same text may go on instead of starting from noise.
struct WarmStart: Sendable {
    /// Number of that frame.
    var parent: Int
    /// Its text.
    var prompt: String
    /// Its latents, `[h, w, C]` as little-endian F16.
    var latents: Data

    /// Prompts that are farther apart start from noise; with each, the share of the way that is taken anew.
    ///
    /// The distances are those of `Conditioning.distance`: about the share of the words that are others.
    static let levels: [(distance: Double, level: Double)] = [(0.06, 0.5), (0.15, 0.75)]

    /// Whether it pays for a model whose settled pictures take so many steps.
    ///
    /// One that shows something after its first step from noise shows more of the new text so than after most steps from
    /// the old picture, which it hardly changes (docs/live.md has the figures).
    static func pays(steps: Int) -> Bool { CanvasLadder.fewestSteps(of: steps) > 1 }

    /// Where to start, when the texts are near enough and steps are saved by it; `nil` for noise.
    func choice(
        for settings: RenderSettings, outline: PictureOutline, painter: Painter, _ pass: Pass
    ) throws -> FrameRecipe.Start? {
        var before = settings
        before.prompt = prompt
        let distance = try painter.distance(before, settings, pass)
        guard let level = Self.levels.first(where: { distance <= $0.distance })?.level else { return nil }
        let count = Int((Double(outline.steps) * level).rounded(.up))
        guard count < outline.steps else { return nil }
        return FrameRecipe.Start(
            parent: parent, level: Self.level(taking: count, of: outline.steps), latents: latents)
    }

    /// The level that leaves exactly `count` of `steps`, whose product must not be rounded below it.
    static func level(taking count: Int, of steps: Int) -> Double {
        let level = Double(count) / Double(steps)
        return Int(Double(steps) * level) < count ? level.nextUp : level
    }
}

extension FrameRecipe.Start {
    /// Lets a render start so.
    ///
    /// - Throws: `StableDiffusionError` for latents that do not fit.
    func apply(to settings: inout RenderSettings, outline: PictureOutline, factor: Int) throws {
        let (height, width) = (outline.height / factor, outline.width / factor)
        let channels = latents.count / 2 / max(1, height * width)
        settings.startLatents = try StartLatents(
            height: height, width: width, channels: channels, bytes: latents)
        settings.strength = level
    }

    /// What a picture's own recipe says of its start: the latents' hash in the place of a start picture's.
    var hash: String { SHA256.hexadecimal(of: latents) }
}
