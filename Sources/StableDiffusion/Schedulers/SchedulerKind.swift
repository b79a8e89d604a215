/// The ways from noise to a picture; the raw value is the name in requests and recipes.
public enum SchedulerKind: String, Sendable, CaseIterable {
    case ddim
    case pndm
    case euler
    case eulerAncestral = "euler_a"
    case dpmpp2M = "dpmpp_2m"
    case dpmpp2MKarras = "dpmpp_2m_karras"
    case lcm
    case tcd
    case unipc
}
