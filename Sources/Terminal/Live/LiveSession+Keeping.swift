import AssistantAPI

/// Keeping a picture, and what the keys do meanwhile.
extension LiveSession {
    /// A picture that Enter kept.
    struct Kept: Sendable {
        var picture: Picture
        var path: String
        var file: [UInt8]
    }

    /// A text whose picture is being kept.
    struct Keeping {
        /// Counts what was to be kept: what comes of one that was given up is not the next one's.
        var number: Int
        /// What stands in the line; `nil` for an earlier frame, beside which the line stays as it is.
        var text: String?
        var since: Duration
        var task: Task<Void, Never>
    }

    /// Keeps the settled picture of the newest text, or an earlier frame; the keys that follow wait.
    func keep(_ text: String?, _ commit: CanvasCommit) {
        live.status.isKeeping = true
        keepingCount += 1
        let (link, prompt, post, number) = (live.link, live.prompt, post, keepingCount)
        let keeper = PictureKeeper(client: client, folder: options.folder)
        let task = Task {
            let result = await Result {
                let picture = try await link.commit(prompt, commit).picture
                let (path, file) = try await keeper.write(picture)
                return Kept(picture: picture, path: path, file: file)
            }
            post.yield(.kept(result, keeping: number))
        }
        keeping = Keeping(number: number, text: text, since: surroundings.elapsed(), task: task)
    }

    /// Keeps the earlier frame that Enter was pressed for, now that it is there; the newest, where none is earlier.
    func keepRecalled(after event: LivePicture.Event) async {
        keepsRecalled = false
        if let frame = live.recalled?.entry.number {
            keep(nil, CanvasCommit(frame: frame))
        } else if case .recalled(.failure, _) = event {
            waitingKeys = []
        } else {
            // As if they had been pressed now.
            let keys = [Key(.enter)] + waitingKeys
            waitingKeys = []
            for key in keys where !isDone { await handle(key) }
        }
    }

    /// What is typed waits for its turn, a Control-D too, unless it comes twice: then it leaves at once.
    func handleWhileKeeping(_ key: Key) async {
        switch (key.name, key.modifiers) {
        case (.scalar("c"), .control): keepsRecalled ? stopWaiting() : stopKeeping()
        case (.escape, _) where keepsRecalled: stopWaiting()
        case (.scalar("z"), .control): await suspend()
        case (.scalar("d"), .control) where waitingKeys.last == key: isDone = true
        default: waitingKeys.append(key)
        }
    }

    /// Neither keeps nor looks for the earlier frame that is on its way.
    private func stopWaiting() {
        (keepsRecalled, waitingKeys) = (false, [])
        live.stopBrowsing(room: room)
    }

    /// Gives the text back; the keys that waited were meant for another one.
    private func stopKeeping() {
        guard let stopped = keeping else { return }
        stopped.task.cancel()
        if let text = stopped.text { editor.replace(with: text) }
        live.status.isKeeping = false
        keeping = nil
        waitingKeys = []
    }

    func finishKeeping(_ result: Result<Kept, ClientError>) async {
        guard let kept = keeping else { return }
        switch result {
        case .success(let value):
            let time = surroundings.elapsed() - kept.since
            let facts = PictureText.facts(value.picture, time: time)
            // What was shown until now may be a draft.
            live.show(value.picture, file: value.file, room: room)
            draw(isFinal: true)
            output.write(screen.finish() + "\(TextSanitizer.line(value.path))  \(facts)\n")
            if kept.text == nil { live.goOn(room: room) } else { live.beginAnew() }
            keeping = nil
            follow()
        case .failure(let error):
            stopKeeping()
            live.status.fail(error.description)
        }
        let keys = waitingKeys
        waitingKeys = []
        for key in keys where !isDone { await handle(key) }
    }
}
