import AssistantAPI
import FoundationEssentials

/// The frames of one canvas: how each was made, and the files of the last ones.
///
/// What goes first is the oldest, so that neither a long evening nor a large picture fills the memory.
struct CanvasFrames: Sendable {
    /// A frame with its file.
    struct File: Sendable, Equatable {
        var number: Int
        var format: PictureFormat
        var data: Data
        /// Whether every pixel is as it was painted.
        var isExact: Bool
    }

    /// How many frames the timeline goes back.
    static let frameLimit = 1000
    /// How many frames have a file: more than anybody goes back while typing; older ones are rendered again.
    static let fileCount = 128
    /// Bytes that latents and files may take.
    static let latentLimit = 16 << 20
    static let fileLimit = 16 << 20

    private(set) var timeline = CanvasTimeline(frames: [])
    private var files: [File] = []
    /// Settled frames by what they show.
    private var settled: [PromptSignature: Int] = [:]
    private var last = 0
    /// The newest frame's latents, from which the next one may go on.
    private var newest: (number: Int, latents: Data)?

    /// Keeps a frame; returns its number.
    mutating func add(
        revision: Int, stage: CanvasStage.Name, frame: FrameRecipe, signature: PromptSignature,
        format: PictureFormat, data: Data, isExact: Bool, latents: Data? = nil, at date: Date
    ) -> Int {
        last += 1
        timeline.frames.append(
            .init(number: last, revision: revision, stage: stage, frame: frame, shownAt: date))
        files.append(File(number: last, format: format, data: data, isExact: isExact))
        if stage == .settled { settled[signature] = last }
        newest = latents.map { (last, $0) }
        tidy()
        return last
    }

    func entry(_ number: Int) -> CanvasTimeline.Entry? {
        guard let first = timeline.frames.first, number >= first.number, number <= last else { return nil }
        return timeline.frames[number - first.number]
    }

    func file(_ number: Int) -> File? { files.first { $0.number == number } }

    /// The settled frame of a text, if its file is still there.
    func settledFile(of signature: PromptSignature) -> File? { settled[signature].flatMap(file) }

    /// The newest frame, if one of this size can go on from it.
    func warmStart(width: Int, height: Int) -> WarmStart? {
        guard let newest, let recipe = entry(newest.number)?.frame.recipe,
            (recipe.width, recipe.height) == (width, height)
        else { return nil }
        return WarmStart(parent: newest.number, prompt: recipe.prompt, latents: newest.latents)
    }

    /// Frames of other settings are no longer what a text looks like, and none goes on from them.
    mutating func settingsChanged() {
        settled = [:]
        newest = nil
    }

    /// What files and latents take.
    var byteCount: Int { fileBytes + latentBytes + (newest?.latents.count ?? 0) }

    /// What of that can be had: the files of frames that were replaced.
    var idleByteCount: Int { fileBytes - (files.last?.data.count ?? 0) }

    /// Gives up the oldest files, until so many bytes are free; the newest frame's stays.
    mutating func release(_ bytes: Int) {
        var rest = bytes
        while rest > 0, files.count > 1 { rest -= removeOldestFile() }
    }

    private var fileBytes: Int { files.reduce(0) { $0 + $1.data.count } }
    private var latentBytes: Int { timeline.frames.reduce(0) { $0 + ($1.frame.start?.latents.count ?? 0) } }

    private mutating func removeOldestFile() -> Int {
        let gone = files.removeFirst()
        settled = settled.filter { $0.value != gone.number }
        return gone.data.count
    }

    private mutating func tidy() {
        while files.count > Self.fileCount || files.count > 1 && fileBytes > Self.fileLimit {
            _ = removeOldestFile()
        }
        while timeline.frames.count > Self.frameLimit
            || timeline.frames.count > 1 && latentBytes > Self.latentLimit
        {
            timeline.frames.removeFirst()
        }
    }
}
