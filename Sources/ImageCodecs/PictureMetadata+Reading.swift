extension PictureMetadata {
    /// What a PNG or WebP file says, or `nil` when it names no software and no parameters.
    ///
    /// - Throws: ``ImageCodecError`` when the file's structure is damaged or beyond `limits`.
    public init?(reading file: [UInt8], limits: DecodingLimits = DecodingLimits()) throws(ImageCodecError) {
        var found: (parameters: String?, software: String?)
        if ImageFormat(sniffing: file) == .webp {
            let exif = try WebPStructure(file, limits).metadata.first { $0.name == "EXIF" }
            guard let exif else { return nil }
            found = Self.readExif(Array(file[exif.contents]))
        } else {
            let texts = try Self.pngTexts(file, limits)
            found = (texts["parameters"], texts["Software"])
        }
        guard found.parameters != nil || found.software != nil else { return nil }
        self.init(software: found.software ?? "", parameters: found.parameters)
    }
}
