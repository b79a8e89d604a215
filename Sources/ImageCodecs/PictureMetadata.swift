/// What a written file says about its origin.
///
/// In PNG: text chunks `parameters` and `Software`, and XMP. In WebP: `UserComment` and `Software` in Exif, and XMP.
/// The XMP names IPTC's digital source type for pictures that a model made.
public struct PictureMetadata: Sendable, Equatable {
    /// The prompt and the settings, as one text in the form that Stable Diffusion's web interfaces share;
    /// `nil` leaves them out.
    public var parameters: String?
    /// The program that made the picture, with its version.
    public var software: String

    public init(software: String, parameters: String? = nil) {
        self.software = software
        self.parameters = parameters
    }

    /// IPTC's term for a picture that a trained model made.
    public static let digitalSourceType =
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

    /// The XMP packet: the origin and the program, never the prompt.
    var xmp: String {
        """
        <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/">
         <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
          <rdf:Description rdf:about=""
            xmlns:xmp="http://ns.adobe.com/xap/1.0/"
            xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
           <xmp:CreatorTool>\(Self.escaped(software))</xmp:CreatorTool>
           <Iptc4xmpExt:DigitalSourceType>\(Self.digitalSourceType)</Iptc4xmpExt:DigitalSourceType>
          </rdf:Description>
         </rdf:RDF>
        </x:xmpmeta>
        <?xpacket end="r"?>
        """
    }

    /// A text as the contents of an XML element; what XML 1.0 cannot hold becomes U+FFFD.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&apos;"
            // A reader would make a line feed of it.
            case "\r": result += "&#13;"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            case "\0"..." ", "\u{FFFE}", "\u{FFFF}":
                result += scalar == " " ? " " : "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
