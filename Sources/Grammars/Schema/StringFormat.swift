/// The texts of a `format` of JSON Schema, as patterns that allow no text that isn't one.
enum StringFormat: String, CaseIterable {
    case date
    case time
    case dateTime = "date-time"
    case duration
    case email
    case hostname
    case ipv4
    case ipv6
    case uri
    case uuid

    /// A regular expression for the whole text.
    var pattern: String { "^\(core)$" }

    private var core: String {
        switch self {
        case .date: Self.day
        case .time: Self.clock
        case .dateTime: "\(Self.day)T\(Self.clock)"
        case .duration:
            #"P([1-9][0-9]{0,3}D(T[1-9][0-9]{0,3}[HMS])?|T[1-9][0-9]{0,3}[HMS]|[1-9][0-9]{0,3}[WMY])"#
        case .email: #"[a-z0-9_+-]{1,32}(\.[a-z0-9_+-]{1,32}){0,3}@\#(Self.host)"#
        case .hostname: Self.host
        case .ipv4: #"\#(Self.byte)(\.\#(Self.byte)){3}"#
        case .ipv6: "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"
        case .uri: #"https?://\#(Self.host)(/[A-Za-z0-9._~-]{1,64}){0,8}/?(\?[A-Za-z0-9._~=&-]{1,128})?"#
        case .uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
        }
    }

    private static let day =
        "[12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
        + "|02-(0[1-9]|1[0-9]|2[0-8]))"
    private static let clock =
        #"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"#
    private static let byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    private static let host = #"([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\.){1,4}[a-z]{2,12}"#
}
