"""Pictures judged: by measures of the field, each a module here, and by people who don't know whose they see."""
