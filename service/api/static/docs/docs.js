// Swagger UI on this service's own description, dark where the visitor's system is.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

/**
 * Forms begin empty, and fields that stay empty are not sent. By itself Swagger UI fills every field with a sample, even
 * where two fields exclude each other.
 */
function emptyForms({ fn }) {
  const { getSampleSchema } = fn;
  return {
    fn: {
      // Of a field of a form it asks without a media type.
      getSampleSchema: (schema, mediaType, ...others) =>
        mediaType !== false ? getSampleSchema(schema, mediaType, ...others) : schema.get("type") === "array" ? [] : "",
    },
    components: { ParameterIncludeEmpty: () => null },
  };
}

SwaggerUIBundle({
  url: "openapi.yaml",
  dom_id: "#api",
  plugins: [emptyForms],
  deepLinking: true, // an address for each operation
  validatorUrl: null, // it would be asked on another host
  defaultModelsExpandDepth: -1, // the schemas stand with the operations
});
