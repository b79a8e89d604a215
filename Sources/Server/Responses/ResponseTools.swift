import Assistant
import AssistantAPI

/// What `tools`, `tool_choice` and `parallel_tool_calls` of a response ask for.
struct ResponseTools: Sendable {
    /// The functions that the answer may call; `nil` where nothing may be called.
    let use: ToolUse?
    /// How a picture is painted that the model calls for; `nil` where none was offered.
    let picture: PictureTool?
    let isParallel: Bool

    /// - Throws: `Failure` 400 that names the field.
    init(_ fields: Fields, streams: Bool) throws(Failure) {
        var tools: [Tool] = []
        var picture: PictureTool?
        for (index, element) in (try fields.array("tools") ?? []).enumerated() {
            let tool = try Fields(element, path: "tools[\(index)]")
            switch try tool.requiredString("type") {
            case "function": tools.append(try Tool(flat: tool))
            case "image_generation":
                guard picture == nil else {
                    throw .invalid("'tools' may have one image_generation, not several.", parameter: "tools")
                }
                picture = try PictureTool(tool, streams: streams)
                tools.append(ImagineTool.tool)
            case let type:
                throw .unsupported(
                    "'\(tool.path)type' must be function or image_generation, not '\(type.prefix(80))'.",
                    parameter: tool.path + "type")
            }
        }
        guard tools.count <= ToolUse.limit else {
            throw .invalid("'tools' must be at most \(ToolUse.limit).", parameter: "tools")
        }
        if picture != nil, tools.filter({ $0.name == ImagineTool.name }).count > 1 {
            throw .invalid(
                "A function beside image_generation cannot be called '\(ImagineTool.name)': that is the name by "
                    + "which the model knows the tool.", parameter: "tools")
        }
        isParallel = try fields.bool("parallel_tool_calls") ?? true
        let choice = try Self.choice(fields, among: tools, offersPicture: picture != nil)
        if let choice, !tools.isEmpty {
            use = ToolUse(tools: tools, choice: choice, isParallel: isParallel)
            self.picture = picture
        } else {
            (use, self.picture) = (nil, nil)
        }
    }

    private static func choice(
        _ fields: Fields, among tools: [Tool], offersPicture: Bool
    ) throws(Failure) -> ToolUse.Choice? {
        guard case .object? = fields["tool_choice"], let wanted = try fields.object("tool_choice"),
            try wanted.requiredString("type") == "image_generation"
        else { return try ToolUse.choice(fields, among: tools) }
        guard offersPicture else {
            throw .invalid("'tool_choice' must name one of the tools.", parameter: "tool_choice")
        }
        return .function(ImagineTool.name)
    }
}

/// The `image_generation` tool: how the pictures are painted that the model calls for.
struct PictureTool: Sendable {
    /// Without a prompt, which is the model's to say.
    var request: PictureRequest
    /// As it was asked for; clients read it back.
    let quality: String
    /// The path to the tool, for errors.
    let path: String

    init(_ fields: Fields, streams: Bool) throws(Failure) {
        var request = PictureRequest(prompt: "")
        try ImageGenerationCall.readSettings(fields, into: &request)
        try ImageGenerationCall.refuseUnsupported(fields)
        if fields["input_image_mask"] != nil {
            throw .unsupported(
                "'\(fields.path)input_image_mask' is not supported; take 'init_image' and 'mask'.",
                parameter: fields.path + "input_image_mask")
        }
        if try fields.string("action") == "edit" {
            throw .unsupported(
                "'\(fields.path)action' edit is not supported; take 'init_image'.",
                parameter: fields.path + "action")
        }
        // Nobody sees them without a stream.
        if !streams { request.partialImages = nil }
        quality = try fields.string("quality") ?? "auto"
        path = fields.path
        self.request = request
    }
}
