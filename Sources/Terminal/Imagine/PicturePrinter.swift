import AssistantAPI
import FoundationEssentials

/// Writes what comes of a request for pictures: the files, the progress, and the pictures themselves.
actor PicturePrinter {
    private let options: ImagineOptions
    private let surroundings: ImagineSession.Surroundings
    private let display: PictureDisplay?
    private var progress: PaintingProgress
    private var toldProgress: PaintingProgress?
    private var isRowShown = false
    private var preview: Preview?
    /// The current picture's, for terminals that have numbers for pictures.
    private var number = TerminalGraphics.makeID()
    private var report = ImagineReport()

    /// A picture on its way that is on the screen.
    private struct Preview {
        var rows: Int
        /// The screen's size then: a picture on a screen that was resized is no longer where it was.
        var size: TerminalOutput.Size
    }

    init(options: ImagineOptions, surroundings: ImagineSession.Surroundings, display: PictureDisplay?) {
        self.options = options
        self.surroundings = surroundings
        self.display = display
        progress = PaintingProgress(count: options.request.count ?? 1)
    }

    // MARK: - What comes in

    /// Takes in an event.
    ///
    /// - Throws: `ClientError` when the daemon failed, or a file cannot be written.
    func receive(_ event: PictureEvent) throws {
        progress.receive(event, at: surroundings.elapsed())
        switch event {
        case .queued, .loading, .started, .progress: showProgress()
        case .notice(let notice): tell(notice)
        case .partial(let partial):
            let recipe = progress.recipe
            draw(
                partial.data, width: recipe?.width ?? partial.width, height: recipe?.height ?? partial.height)
            showProgress()
        case .picture(let finished): try keep(finished)
        case .completed(let completed):
            report.finish = completed.finish
            report.timings = completed.timings
            report.promptTokens = completed.promptTokens
        case .failed(let failure):
            throw ClientError.refused(
                status: 500, code: failure.error.code.rawValue, message: failure.error.message)
        }
    }

    /// Shows how the time passes.
    func tick() { if surroundings.errors.isTerminal { showProgress() } }

    /// The stream came to its end.
    ///
    /// - Throws: `ClientError` when the daemon stopped the work.
    func finish() throws {
        clearRow()
        if let finish = report.finish, finish != .stop {
            throw ClientError.failed(
                broken("the daemon stopped the work before it was done; it may be ending"))
        }
        try writeReport()
    }

    /// The work ended with an error; what to tell of it.
    func fail(_ error: any Error) throws -> any Error {
        clearRow()
        let error = explained(error)
        if case ClientError.cancelled = error { report.finish = .cancelled }
        var failure = ImagineReport.Failure(message: ClientError.sentence(for: error))
        if case ClientError.refused(_, let code, _) = error { failure.code = code }
        report.error = failure
        try writeReport()
        return error
    }

    private func explained(_ error: any Error) -> any Error {
        guard case ClientError.connectionLost = error else { return error }
        return ClientError.failed(
            broken("the daemon closed the connection in the middle of its work; it may have ended"))
    }

    /// What happened, what there is in spite of it, and how to have the rest.
    private func broken(_ finding: String) -> String {
        var sentence = finding
        switch report.pictures.count {
        case 0: break
        case 1: sentence += ". One picture is finished"
        case let count: sentence += ". \(count) pictures are finished"
        }
        if let recipe = progress.recipe {
            sentence += ". For this picture, ask again with --seed \(recipe.seed)"
        }
        return sentence
    }

    private func writeReport() throws {
        if options.isJSON { surroundings.output.write(try JSONText.line(report)) }
    }

    private func tell(_ notice: Notice) {
        report.notices.append(notice)
        say(TextSanitizer.line(notice.message))
    }

    // MARK: - Finished pictures

    private func keep(_ finished: PictureEvent.Finished) throws {
        clearRow()
        let picture = finished.picture
        let time = progress.pictureTime(at: surroundings.elapsed())
        let facts = PictureText.facts(picture, time: time)
        let path: String
        var taken: String?
        switch options.target {
        case .standardOutput:
            surroundings.writeBytes(Array(finished.data))
            if !options.isQuiet { surroundings.errors.write(facts + "\n") }
            return
        case .file(let name):
            path = PictureName.numbered(name, index: progress.index, count: progress.count)
            try write(finished, to: path, replacing: true)
        case .folder(let folder): (path, taken) = try writeNew(finished, into: folder)
        }
        draw(finished.data, width: picture.width, height: picture.height)
        preview = nil
        number = TerminalGraphics.makeID()
        if let taken { say("\(TextSanitizer.line(taken)) is there already; this picture has another name") }
        report.pictures.append(
            .init(path: path, milliseconds: (time.seconds * 10_000).rounded() / 10, picture: picture))
        guard !options.isJSON, !options.isQuiet else { return }
        let line = surroundings.isRead ? "\(TextSanitizer.line(path))  \(facts)" : path
        surroundings.output.write(line + "\n")
    }

    /// Writes a file under the first name that is free; returns it, and the name that is taken already.
    private func writeNew(
        _ finished: PictureEvent.Finished, into folder: String
    ) throws -> (path: String, taken: String?) {
        func path(_ attempt: Int) -> String {
            PictureName.automatic(for: finished.picture, in: folder, attempt: attempt)
        }
        for attempt in 1...9999 {
            do {
                try write(finished, to: path(attempt), replacing: false)
            } catch PictureFile.Failure.exists {
                continue
            }
            return (path(attempt), attempt > 1 ? path(1) : nil)
        }
        throw ClientError.failed(
            "there are too many pictures named \(TextSanitizer.line(path(1))); give a name: -o")
    }

    private func write(_ finished: PictureEvent.Finished, to path: String, replacing: Bool) throws {
        do throws(PictureFile.Failure) {
            try PictureFile.write(
                Array(finished.data), to: path, replacing: replacing, guarding: surroundings.guardFile)
        } catch .system(let code) {
            let time = options.request.isPrivate == true ? " for a few minutes" : ""
            let id = TextSanitizer.line(finished.picture.id)
            throw ClientError.failed(
                "\(TextSanitizer.line(path)) cannot be written: \(ClientError.system(code)); "
                    + "the picture is kept\(time): inkling pictures save \(id) -o FILE")
        }
    }

    // MARK: - The screen

    /// Draws a picture, in the place of the one before where that is of the same picture.
    private func draw(_ file: Data, width: Int, height: Int) {
        guard let display else { return }
        let size = surroundings.output.size()
        // A row below stays free for the progress.
        let room = TerminalOutput.Size(columns: size.columns, rows: max(1, size.rows - 2))
        let drawing = display.draw(
            Array(file), PictureSize(width: width, height: height), room, number)
        guard let drawing else { return }
        clearRow()
        if let preview, preview.size == size {
            surroundings.output.write(TerminalGraphics.replacing(rows: preview.rows, with: drawing))
        } else {
            surroundings.output.write(drawing.text)
        }
        preview = Preview(rows: drawing.area.rows, size: size)
    }

    private func showProgress() {
        guard !options.isQuiet else { return }
        let now = surroundings.elapsed()
        if surroundings.errors.isTerminal {
            let row = ProgressText.row(progress, at: now, columns: surroundings.errors.size().columns)
            surroundings.errors.write("\r\(row)\u{1B}[K")
            isRowShown = true
        } else if surroundings.wantsLines, let line = ProgressText.line(progress, at: now, last: toldProgress)
        {
            toldProgress = progress
            surroundings.errors.write("(\(line))\n")
        }
    }

    private func clearRow() {
        if isRowShown { surroundings.errors.write("\r\u{1B}[K") }
        isRowShown = false
    }

    /// A sentence on standard error, below what is shown.
    private func say(_ sentence: String) {
        guard !options.isQuiet else { return }
        clearRow()
        preview = nil
        surroundings.errors.write("inkling: \(sentence)\n")
    }
}
