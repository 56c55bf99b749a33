"""Files and pages about the disease of a whole scan: reviews of proposals, quantities of a patient."""
