import Assistant
import AssistantAPI
import HTTPTypes
import Testing

@testable import Server

/// What `POST /v1/responses` takes and refuses before anything is done.
struct ResponseCallTests {
    static func call(_ body: String) throws -> ResponseCall {
        try ResponseCall(Fields(JSONParser.parse(Array(body.utf8))))
    }

    @Test(arguments: [
        ("{}", "input"), (#"{"input":[]}"#, "input"), (#"{"input":7}"#, "input"),
        (#"{"input":["Hi"]}"#, "input[0]"), (#"{"input":"Hi","model":3}"#, "model"),
        (#"{"input":"Hi","instructions":[]}"#, "instructions"), (#"{"input":"Hi","stream":"yes"}"#, "stream"),
        (#"{"input":"Hi","store":1}"#, "store"), (#"{"input":"Hi","background":true}"#, "background"),
        (#"{"input":"Hi","conversation":"conv_1"}"#, "conversation"),
        (#"{"input":"Hi","prompt":{"id":"p"}}"#, "prompt"), (#"{"messages":[]}"#, "messages"),
        (#"{"input":"Hi","response_format":{"type":"text"}}"#, "response_format"),
        (#"{"input":"Hi","max_tool_calls":2}"#, "max_tool_calls"),
        (#"{"input":"Hi","top_logprobs":2}"#, "top_logprobs"),
        (#"{"input":"Hi","max_output_tokens":0}"#, "max_output_tokens"),
        (#"{"input":"Hi","temperature":"hot"}"#, "temperature"),
        (#"{"input":"Hi","truncation":"some"}"#, "truncation"),
        (#"{"input":"Hi","metadata":{"a":1}}"#, "metadata.a"),
        (#"{"input":"Hi","text":{"format":{"type":"xml"}}}"#, "text.format.type"),
        (#"{"input":"Hi","text":{"format":{"type":"json_schema","name":"n"}}}"#, "text.format.schema"),
        (#"{"input":"Hi","tools":[{"type":"web_search"}]}"#, "tools[0].type"),
        (#"{"input":"Hi","tools":[{"type":"function"}]}"#, "tools[0].name"),
        (#"{"input":"Hi","tools":[{"type":"function","name":"f","parameters":[]}]}"#, "tools[0].parameters"),
        (#"{"input":"Hi","tools":[{"type":"image_generation"},{"type":"image_generation"}]}"#, "tools"),
        (
            #"{"input":"Hi","tools":[{"type":"image_generation"},{"type":"function","name":"imagine"}]}"#,
            "tools"
        ),
        (#"{"input":"Hi","tools":[{"type":"image_generation","size":"big"}]}"#, "tools[0].size"),
        (
            #"{"input":"Hi","tools":[{"type":"image_generation","background":"transparent"}]}"#,
            "tools[0].background"
        ),
        (
            #"{"input":"Hi","tools":[{"type":"image_generation","output_format":"jpeg"}]}"#,
            "tools[0].output_format"
        ),
        (
            #"{"input":"Hi","tools":[{"type":"image_generation","partial_images":4}]}"#,
            "tools[0].partial_images"
        ),
        (#"{"input":"Hi","tools":[{"type":"image_generation","action":"edit"}]}"#, "tools[0].action"),
        (
            #"{"input":"Hi","tools":[{"type":"image_generation","input_image_mask":{}}]}"#,
            "tools[0].input_image_mask"
        ), (#"{"input":"Hi","tool_choice":"required"}"#, "tool_choice"),
        (#"{"input":"Hi","tool_choice":{"type":"image_generation"}}"#, "tool_choice"),
        (
            #"{"input":"Hi","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"g"}}"#,
            "tool_choice"
        ),
    ])
    func wrongFieldsAreNamed(body: String, parameter: String) throws {
        let failure = #expect(throws: Failure.self) { try Self.call(body) }
        #expect(failure?.status == .badRequest)
        #expect(failure?.parameter == parameter, "\(failure?.message ?? "")")
        #expect(failure?.message.isEmpty == false)
    }

    @Test func metadataHasItsBounds() throws {
        let many = (0..<17).map { #""\#($0)":"x""# }.joined(separator: ",")
        #expect(throws: Failure.self) { try Self.call(#"{"input":"Hi","metadata":{\#(many)}}"#) }
        let long = String(repeating: "x", count: 513)
        #expect(throws: Failure.self) { try Self.call(#"{"input":"Hi","metadata":{"a":"\#(long)"}}"#) }
        let call = try Self.call(#"{"input":"Hi","metadata":{"a":"\#(long.dropLast())"}}"#)
        #expect(JSON(call.echo)["metadata"]?["a"] == .string(String(long.dropLast())))
    }

    @Test func harmlessFieldsAreTaken() throws {
        let call = try Self.call(
            #"{"input":"Hi","reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"user":"u","#
                + #""service_tier":"auto","safety_identifier":"s","prompt_cache_key":"k","stream_options":{},"#
                + #""truncation":"auto","background":false,"top_logprobs":0,"max_tokens":5,"new":{"a":[1]}}"#)
        #expect(call.isStored && !call.streams)
        #expect(call.request.settings.maxTokens == nil)
        #expect(call.request.toolUse == nil && call.request.constraint == nil)
    }

    @Test func whatWasAskedIsToldAgain() throws {
        let call = try Self.call(
            #"{"input":"Hi","instructions":"Be brief.","max_output_tokens":9,"temperature":0.5,"store":false,"#
                + #""parallel_tool_calls":false,"tools":[{"type":"function","name":"f","strict":true},"#
                + #"{"type":"image_generation","init_image":"aaaa"}],"tool_choice":"auto"}"#)
        let echo = JSON(call.echo)
        #expect(echo["instructions"] == "Be brief." && echo["max_output_tokens"] == 9)
        #expect(echo["temperature"] == JSON(0.5) && echo["top_p"] == .null)
        #expect(echo["store"] == false && echo["parallel_tool_calls"] == false)
        #expect(echo["text"] == ["format": ["type": "text"]])
        // A start picture is not sent back.
        #expect(
            echo["tools"] == [
                ["type": "function", "name": "f", "strict": true], ["type": "image_generation"],
            ])
    }

    @Test func functionsAreShownToTheModelAsInChatCompletions() throws {
        let call = try Self.call(
            #"{"input":"Hi","tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"#
                + #""strict":true}],"tool_choice":{"type":"function","name":"f"}}"#)
        let use = try #require(call.request.toolUse)
        #expect(use.choice == .function("f") && use.isParallel)
        #expect(use.tools.map(\.parameters) == [#"{"type":"object"}"#])
        #expect(
            use.tools[0].definition
                == #"{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}"#
        )
        #expect(call.tools.picture == nil)
    }

    @Test func theImageToolIsAFunctionForTheModel() throws {
        let tool =
            #"{"type":"image_generation","model":"paint","size":"64x128","quality":"high","output_format":"webp","#
            + #""output_compression":80,"partial_images":2,"background":"opaque","moderation":"low","#
            + #""input_fidelity":"low","steps":3,"seed":7,"cfg_scale":2}"#
        let forced = #","tool_choice":{"type":"image_generation"}"#
        let call = try Self.call(#"{"input":"Hi","stream":true,"tools":[\#(tool)]\#(forced)}"#)
        #expect(call.request.toolUse?.tools == [ImagineTool.tool])
        #expect(call.request.toolUse?.choice == .function(ImagineTool.name))
        let picture = try #require(call.tools.picture)
        #expect(picture.request.model == "paint" && picture.quality == "high")
        #expect((picture.request.width, picture.request.height) == (64, 128))
        #expect(picture.request.format == .webp && picture.request.quality == 80)
        #expect(picture.request.steps == 3 && picture.request.seed == 7)
        #expect(picture.request.guidanceScale == 2 && picture.request.partialImages == 2)
        // Without a stream nobody sees pictures on their way; with 'none' nothing is offered.
        let whole = try Self.call(#"{"input":"Hi","tools":[\#(tool)]}"#)
        #expect(whole.tools.picture?.request.partialImages == nil)
        let none = try Self.call(#"{"input":"Hi","tools":[\#(tool)],"tool_choice":"none"}"#)
        #expect(none.tools.picture == nil && none.request.toolUse == nil)
    }

    @Test func theSchemaStandsBesideItsType() throws {
        let format = #"{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}"#
        let call = try Self.call(#"{"input":"Hi","text":{"format":\#(format)}}"#)
        #expect(call.request.constraint == .jsonSchema(#"{"type":"object"}"#))
        let object = try Self.call(#"{"input":"Hi","text":{"format":{"type":"json_object"}}}"#)
        #expect(object.request.constraint == .jsonObject)
        #expect(try Self.call(#"{"input":"Hi","text":{"verbosity":"low"}}"#).request.constraint == nil)
    }

    @Test func itemsHaveIDsAndPartsAndNoPictures() throws {
        let call = try Self.call(
            #"{"input":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"},"#
                + #"{"type":"function_call","id":"fc_7","call_id":"c","name":"f","arguments":"{}"},"#
                + #"{"type":"image_generation_call","id":"ig_1","result":"aaaa","status":"completed"}]}"#)
        #expect(
            call.input.map { $0["type"] } == ["message", "message", "function_call", "image_generation_call"])
        #expect(call.input[0]["content"] == [["type": "input_text", "text": "Hi"]])
        #expect(call.input[1]["content"] == [ResponseItem.part("Ho")])
        #expect(call.input[2]["id"] == "fc_7" && call.input[3]["result"] == .null)
        guard case .string(let first)? = call.input[0]["id"] else { throw ClientError.malformed("no id") }
        #expect(first.hasPrefix("msg_") && call.input[1]["id"] != call.input[0]["id"])
    }
}

extension JSON {
    /// The elements of an array.
    func elements() throws -> [JSON] {
        guard case .array(let elements) = self else { throw ClientError.malformed(text) }
        return elements
    }
}
