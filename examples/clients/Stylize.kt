// Paint a photograph like an artwork, on the JVM 11 or newer, with nothing but its own HTTP client:
//
//     kotlinc Stylize.kt -include-runtime -d stylize.jar && java -jar stylize.jar PHOTO ARTWORK OUT [OPTION=VALUE...]
//
// ARTWORK is a file, or a name of GET /styles. API_URL says where the service is, API_KEY is a key if it asks for one.
// On Android, which does not have java.net.http, send the same form with OkHttp's MultipartBody.

import java.io.ByteArrayOutputStream
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.UUID
import kotlin.math.pow
import kotlin.system.exitProcess

/** The service refused. [problem] is its problem+json: `type` is stable, `detail` says what to change. */
class StylizeException(val status: Int, val problem: String) : Exception("$status: $problem")

/** The picture's bytes, and how they came about. */
class Painted(val picture: ByteArray, val report: Map<String, String>)

class Stylize(
    private val url: String = "http://127.0.0.1:8080",
    private val key: String? = null,
    private val timeout: Duration = Duration.ofSeconds(130),
    private val attempts: Int = 5,
) {
    private val http: HttpClient =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(10)).build()

    /** Paint, and try again while the service is busy. The artwork is a file, or a name from the service's catalogue. */
    fun paint(photo: Path, artwork: String, options: Map<String, String> = emptyMap()): Painted {
        val form = Form().file("content", photo)
        val file = Path.of(artwork)
        if (Files.isRegularFile(file)) form.file("style", file) else form.text("style_name", artwork)
        options.forEach { (name, value) -> form.text(name, value) }
        val request = HttpRequest.newBuilder(URI("$url/stylize"))
            .timeout(timeout)
            .header("Content-Type", form.contentType)
            .apply { key?.let { header("Authorization", "Bearer $it") } }
            .POST(HttpRequest.BodyPublishers.ofByteArray(form.bytes()))
            .build()
        for (attempt in 1..attempts) {
            val answer = http.send(request, HttpResponse.BodyHandlers.ofByteArray())
            val status = answer.statusCode()
            if (status == 200) return Painted(answer.body(), report(answer))
            if (status !in listOf(429, 503) || attempt == attempts) {
                throw StylizeException(status, answer.body().decodeToString())
            }
            val seconds = answer.headers().firstValue("Retry-After").orElse("").toDoubleOrNull() ?: 2.0.pow(attempt)
            Thread.sleep((seconds * 1000).toLong())
        }
        error("the last attempt returns or throws")
    }

    private fun report(answer: HttpResponse<*>): Map<String, String> =
        answer.headers().map()
            .filterKeys { it.startsWith("x-stylize-", true) || it.lowercase() in listOf("x-request-id", "server-timing") }
            .mapValues { (_, values) -> values.first() }
}

/** multipart/form-data (RFC 7578). */
private class Form {
    private val boundary = UUID.randomUUID().toString()
    private val out = ByteArrayOutputStream()
    val contentType = "multipart/form-data; boundary=$boundary"

    fun text(name: String, value: String) = part("name=\"$name\"", value.toByteArray())

    fun file(name: String, path: Path) = part("name=\"$name\"; filename=\"$name\"", Files.readAllBytes(path))

    fun bytes(): ByteArray = out.toByteArray() + "--$boundary--\r\n".toByteArray()

    private fun part(disposition: String, data: ByteArray) = apply {
        out.write("--$boundary\r\nContent-Disposition: form-data; $disposition\r\n\r\n".toByteArray())
        out.write(data)
        out.write("\r\n".toByteArray())
    }
}

fun main(args: Array<String>) {
    if (args.size < 3) {
        System.err.println("give PHOTO ARTWORK OUT [OPTION=VALUE...]")
        exitProcess(2)
    }
    val service = Stylize(System.getenv("API_URL") ?: "http://127.0.0.1:8080", System.getenv("API_KEY"))
    val options = args.drop(3).associate { it.substringBefore("=") to it.substringAfter("=") }
    try {
        val painted = service.paint(Path.of(args[0]), args[1], options)
        Files.write(Path.of(args[2]), painted.picture)
        painted.report.forEach { (name, value) -> println("$name: $value") }
    } catch (refused: StylizeException) {
        System.err.println(refused.message)
        exitProcess(1)
    }
}
