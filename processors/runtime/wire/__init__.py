"""Wire formats: Avro, schemas, changelog records."""
