import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// A1111's API of pictures: `/sdapi/v1`.
    func addAutomatic1111(to router: Router<ServerContext>) {
        let work = Automatic1111Work()
        for (path, startsFromPicture) in [("txt2img", false), ("img2img", true)] {
            router.resource(
                "/sdapi/v1/\(path)",
                [
                    .post: { [assistant, pictureBodyLimit] request, context in
                        let call = try Automatic1111Call(
                            await request.fields(upTo: pictureBodyLimit),
                            startsFromPicture: startsFromPicture, checkpoint: work.checkpoint)
                        let client = context.client
                        let outcome = try await Connection.whileConnected(context.connection) {
                            try await work.make(call, by: assistant.pictures, client: client)
                        }
                        return .json(Automatic1111Answer.json(outcome, call))
                    }
                ])
        }
        router.resource(
            "/sdapi/v1/progress",
            [
                .get: { request, _ in
                    .json(work.progress(withImage: try !request.queryFlag("skip_current_image")))
                }
            ])
        router.resource(
            "/sdapi/v1/interrupt",
            [
                .post: { _, _ in
                    work.interrupt()
                    return .json([:])
                }
            ])
        addAutomatic1111Options(work, to: router)
    }

    private func addAutomatic1111Options(_ work: Automatic1111Work, to router: Router<ServerContext>) {
        router.resource(
            "/sdapi/v1/options",
            [
                .get: { [assistant] _, _ in
                    .json([
                        "sd_model_checkpoint": .string(try assistant.pictureModel(work.checkpoint)),
                        "sd_vae": "Automatic", "samples_format": "png", "CLIP_stop_at_last_layers": 1,
                    ])
                },
                .post: { [assistant, bodyLimit] request, _ in
                    let fields = try await request.fields(upTo: bodyLimit)
                    if let name = try fields.string("sd_model_checkpoint"), !name.isEmpty {
                        work.checkpoint = try assistant.pictureModel(name)
                    }
                    return .json(JSON.null)
                },
            ])
        router.resource(
            "/sdapi/v1/sd-models",
            [
                .get: { [assistant] _, _ in
                    let models = await assistant.models().filter { $0.kind == .picture }
                    return .json(.array(models.map(Automatic1111Answer.model)))
                }
            ])
        router.resource(
            "/sdapi/v1/loras",
            [.get: { [assistant] _, _ in .json(.array(assistant.loras().map(Automatic1111Answer.lora))) }])
        let schedulers = ["Automatic", "Karras"].map { name -> JSON in
            ["name": .string(name.lowercased()), "label": .string(name), "aliases": nil]
        }
        // Clients ask for these before they paint.
        let lists: [(name: String, list: JSON)] = [
            ("samplers", .array(Automatic1111Sampler.all.map(\.json))), ("schedulers", .array(schedulers)),
            ("upscalers", [["name": "None", "scale": 1]]), ("latent-upscale-modes", []), ("sd-vae", []),
        ]
        for (name, list) in lists {
            router.resource("/sdapi/v1/\(name)", [.get: { _, _ in .json(list) }])
        }
    }
}
